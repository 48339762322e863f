using Dti.Engine;
using Dti.Engine.Generation;
using Dti.Engine.Training;

namespace Dti.Server.Configuration;

/// <summary>
/// What one request may ask of this server at most. The defaults are the widest that Dti knows; a server for many
/// narrows them.
/// </summary>
public sealed record RequestLimits
{
    /// <summary>Photos of a training, 1 to 50. Default 50.</summary>
    public int MaxPhotos { get; init; } = TrainingSet.MaxPhotos;

    /// <summary>
    /// Bytes that the photos and masks of a training take in memory at its resolution, 16 MiB to 64 GiB. Default 1 GiB.
    /// </summary>
    public long MaxPhotoMemoryBytes { get; init; } = 1L << 30;

    /// <summary>Steps of a training, 1 to 100,000. Default 100,000.</summary>
    public int MaxTrainingSteps { get; init; } = 100_000;

    /// <summary>Crops per training step, 1 to 64. Default 64.</summary>
    public int MaxBatchSize { get; init; } = 64;

    /// <summary>Side of a training's crops in pixels, 64 to 2048. Default 2048.</summary>
    public int MaxResolution { get; init; } = 2048;

    /// <summary>Images of a generation and frames of an interpolation, 2 to 64. Default 64.</summary>
    public int MaxPictures { get; init; } = 64;

    /// <summary>Width × height of an image, 4,096 to 4,194,304. Default 4,194,304, that is 2048 × 2048.</summary>
    public int MaxPixels { get; init; } = 2048 * 2048;

    /// <summary>Sampling steps of an image, previews included, 1 to 1000. Default 1000.</summary>
    public int MaxSamplingSteps { get; init; } = 1000;

    /// <summary>What is wrong with these limits themselves.</summary>
    internal IEnumerable<FieldViolation> Violations() =>
        Beyond(
            "Limits.",
            (nameof(MaxPhotos), MaxPhotos, 1, TrainingSet.MaxPhotos),
            (nameof(MaxPhotoMemoryBytes), MaxPhotoMemoryBytes, 16 << 20, 64L << 30),
            (nameof(MaxTrainingSteps), MaxTrainingSteps, 1, 100_000),
            (nameof(MaxBatchSize), MaxBatchSize, 1, 64),
            (nameof(MaxResolution), MaxResolution, 64, 2048),
            (nameof(MaxPictures), MaxPictures, 2, 64),
            (nameof(MaxPixels), MaxPixels, 64 * 64, 2048 * 2048),
            (nameof(MaxSamplingSteps), MaxSamplingSteps, 1, 1000)
        );

    /// <summary>What a training asks beyond them.</summary>
    /// <param name="settings">The training.</param>
    /// <param name="photos">How many it sends.</param>
    internal IEnumerable<FieldViolation> Check(TrainingSettings settings, int photos) =>
        Above(
            // above that, loading them fails with its own message
            ("photos", photos > TrainingSet.MaxPhotos ? 0 : photos, MaxPhotos, "photos"),
            ("options.steps", settings.Steps, MaxTrainingSteps, "training steps"),
            ("options.batch_size", settings.BatchSize, MaxBatchSize, "crops in a step"),
            ("options.resolution", settings.Resolution, MaxResolution, "pixels a side"),
            (
                "options.preview_steps",
                settings.PreviewEvery > 0 ? settings.PreviewSteps : 0,
                MaxSamplingSteps,
                "sampling steps"
            )
        );

    /// <summary>What the photos of a training take beyond them.</summary>
    /// <param name="photos">Their size.</param>
    /// <param name="resolution">Side of its crops in pixels.</param>
    internal IEnumerable<FieldViolation> Check(TrainingSetSize photos, int resolution) =>
        photos.HeldBytes > MaxPhotoMemoryBytes
            ?
            [
                new FieldViolation(
                    "photos",
                    $"The photos take {photos.HeldBytes >> 20} MiB of memory when their shorter sides are resized to {resolution} pixels; this server allows {MaxPhotoMemoryBytes >> 20}. Crop long strips, or ask for a smaller resolution."
                ),
            ]
            : [];

    /// <summary>What a generation asks beyond them.</summary>
    /// <param name="settings">The generation; of an interpolation, that of a frame.</param>
    /// <param name="frames">Frames of an interpolation; null: it is none.</param>
    internal IEnumerable<FieldViolation> Check(GenerationSettings settings, int? frames = null) =>
        Above(
            (frames is null ? "options.num_images" : "frames", frames ?? settings.ImageCount, MaxPictures, "pictures"),
            ("options.width", settings.Width * settings.Height, MaxPixels, "pixels an image"),
            ("options.steps", settings.Steps, MaxSamplingSteps, "sampling steps")
        );

    private static IEnumerable<FieldViolation> Above(params (string Field, int Asked, int Most, string What)[] asked) =>
        asked
            .Where(one => one.Asked > one.Most)
            .Select(one => new FieldViolation(
                one.Field,
                $"{one.Asked} {one.What} are asked for; this server allows {one.Most}."
            ));

    private static IEnumerable<FieldViolation> Beyond(
        string prefix,
        params (string Name, long Value, long Min, long Max)[] limits
    ) =>
        limits
            .Where(limit => limit.Value < limit.Min || limit.Value > limit.Max)
            .Select(limit => new FieldViolation(
                prefix + limit.Name,
                $"{prefix}{limit.Name} is {limit.Value}; it must be from {limit.Min} to {limit.Max}."
            ));
}
