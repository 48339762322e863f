using Dti.Engine.Generation;
using Dti.Engine.Imaging;
using Dti.Engine.Training;
using Dti.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dti.Server.Mapping;

/// <summary>How images are encoded for replies.</summary>
/// <param name="Format">PNG, JPEG or WebP.</param>
/// <param name="Quality">1 to 100, JPEG and WebP only.</param>
/// <param name="Seed">The request's seed.</param>
/// <param name="Metadata">What a PNG says of its settings; null: nothing.</param>
internal sealed record PictureEncoding(PictureFormat Format, int Quality, ulong Seed, PictureMetadata? Metadata = null)
{
    public const int DefaultQuality = 90;

    /// <summary>As previews are.</summary>
    public static PictureEncoding Lossless(ulong seed) => new(PictureFormat.Png, DefaultQuality, seed);

    public Picture Encode(GeneratedImage image) => Encode(image.Image, image.Index, image.Prompt, image.T);

    public Picture Encode(RgbImage image, int index, string prompt, double? t = null)
    {
        var format = Format.ToEngine();
        var file = ImageCodec.Encode(image, format, Quality);
        if (Metadata is not null && format == ImageFormat.Png)
        {
            file = PngText.Insert(file, Metadata.Of(index, t));
        }

        var picture = new Picture
        {
            Data = ByteString.CopyFrom(file),
            MediaType = Format switch
            {
                PictureFormat.Jpeg => "image/jpeg",
                PictureFormat.Webp => "image/webp",
                _ => "image/png",
            },
            Width = image.Width,
            Height = image.Height,
            Index = index,
            Prompt = prompt,
            Seed = Seed,
        };
        if (t is { } position)
        {
            picture.T = position;
        }

        return picture;
    }
}

/// <summary>What the engine reports, as messages.</summary>
internal static class EventMapping
{
    public static TrainProgress ToMessage(this TrainingStep step) =>
        new()
        {
            Step = step.Step,
            TotalSteps = step.TotalSteps,
            Loss = step.Loss,
            LossAverage = step.LossAverage,
            Norm = step.Norm,
            AngleDegrees = step.AngleDegrees,
            KappaOverGradient = step.KappaOverGradient,
            LearningRate = step.LearningRate,
            StepsPerSecond = step.StepsPerSecond,
            TimeLeft = Duration.FromTimeSpan(step.TimeLeft),
        };

    public static TrainCheck ToMessage(this TrainingCheck check) =>
        new()
        {
            Step = check.Step,
            HeldOutLoss = check.HeldOutLoss,
            Drift = check.Drift,
        };

    public static TrainPreview ToMessage(this TrainingPreview preview) =>
        new()
        {
            Step = preview.Step,
            Picture = PictureEncoding.Lossless(preview.Seed).Encode(preview.Image, preview.Index, preview.Prompt),
        };

    /// <summary>An event of a training before its end, with the step that it belongs to (0: none).</summary>
    public static (int Step, TrainResponse Message) Of(TrainingEvent trainingEvent) =>
        trainingEvent switch
        {
            TrainingWarning warning => (0, new TrainResponse { Warning = Warning(warning.Code, warning.Message) }),
            TrainingStep step => (step.Step, new TrainResponse { Progress = step.ToMessage() }),
            TrainingCheck check => (check.Step, new TrainResponse { Check = check.ToMessage() }),
            TrainingPreview preview => (preview.Step, new TrainResponse { Preview = preview.ToMessage() }),
            _ => throw new ArgumentException($"unknown event {trainingEvent}", nameof(trainingEvent)),
        };

    public static SamplingProgress ToMessage(this SamplingStep step, TimeSpan elapsed, ulong seed) =>
        new()
        {
            Step = step.Step,
            TotalSteps = step.TotalSteps,
            TimeLeft = Duration.FromTimeSpan(elapsed / step.Step * (step.TotalSteps - step.Step)),
            Preview = step.Preview is { } preview ? PictureEncoding.Lossless(seed).Encode(preview) : null,
        };

    public static Warning Warning(string code, string message) => new() { Code = code, Message = message };
}
