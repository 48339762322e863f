using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;

namespace Dti.Engine.Planning;

/// <summary>
/// The working memory of a job in addition to the weights, estimated before anything is loaded from the shapes of the
/// model (<see cref="IFootprint"/>). Bytes.
/// </summary>
public static class MemoryEstimate
{
    private const long Constant = 160L << 20; // code, buffers and pools that the first use of a library takes
    private const long LatentCacheBytes = 256L << 20;

    /// <summary>Of a training with its previews.</summary>
    /// <param name="profile">The model.</param>
    /// <param name="target">Where it computes.</param>
    /// <param name="policy">What is traded for memory.</param>
    /// <param name="settings">The training.</param>
    /// <param name="photos">Its photos, which are held all the time; null: they are left out.</param>
    public static long OfTraining(
        ModelProfile profile,
        ComputeTarget target,
        MemoryPolicy policy,
        TrainingSettings settings,
        TrainingSetSize? photos = null
    )
    {
        var (side, footprint) = (settings.Resolution, profile.Footprint);
        var latent =
            2L
            * sizeof(float)
            * profile.Latents.Channels
            * side
            * side
            / (profile.Latents.Factor * profile.Latents.Factor);
        var kept = Math.Min(
            LatentCacheBytes,
            (long)settings.Steps * settings.BatchSize * settings.GradientAccumulation * latent
        );
        var step = footprint.TrainingStep(settings.BatchSize, side, target, policy);
        var training = Math.Max(step, footprint.Encoding(Tiled(side, side, policy), target)) + kept;
        var preview =
            settings.PreviewEvery > 0 ? Generating(profile, target, policy, side, side, guided: true) + kept : 0;
        var working = Constant + footprint.BackwardWeights(target, policy) + (long)Math.Max(training, preview);
        return photos is null ? working : Math.Max(working + photos.HeldBytes, photos.PeakBytes);
    }

    /// <summary>Of generating images, one after the other.</summary>
    /// <param name="profile">The model.</param>
    /// <param name="target">Where it computes.</param>
    /// <param name="policy">What is traded for memory.</param>
    /// <param name="settings">The generation.</param>
    public static long OfGeneration(
        ModelProfile profile,
        ComputeTarget target,
        MemoryPolicy policy,
        GenerationSettings settings
    ) =>
        Constant
        + (long)Generating(profile, target, policy, settings.Width, settings.Height, settings.GuidanceScale > 1);

    private static double Generating(
        ModelProfile profile,
        ComputeTarget target,
        MemoryPolicy policy,
        int width,
        int height,
        bool guided
    ) =>
        profile.Footprint.Denoising(guided ? 2 : 1, width, height, target)
        + profile.Footprint.Decoding(Tiled(width, height, policy), target)
        + (4.0 * 3 * width * height * sizeof(float));

    private static double Tiled(int width, int height, MemoryPolicy policy) =>
        (double)Math.Min(width, policy.AutoencoderTile ?? width) * Math.Min(height, policy.AutoencoderTile ?? height);
}
