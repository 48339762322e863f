using Dti.Engine.Models;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>The direction at which training starts when it starts at the photos.</summary>
internal static class PhotoStart
{
    /// <summary>
    /// The normalized mean of the directions that the model's photo encoder predicts, in fp32, from the centre of each
    /// photo.
    /// </summary>
    /// <param name="model">A model with a photo encoder.</param>
    /// <param name="photos">The photos.</param>
    /// <param name="latents">Gives the latents of crops.</param>
    /// <returns>For each text encoder (1, d) fp32 of norm 1, on the model's device.</returns>
    /// <exception cref="DtiException">The weights cannot be read.</exception>
    public static Tensor[] Directions(IDiffusionModel model, TrainingSet photos, LatentCache latents)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var encoder = model.Profile.LoadPhotoEncoder(model.Target.Device);
        Tensor[][] predicted =
        [
            .. Enumerable
                .Range(0, photos.Count)
                .Select(photo => model.Normalize(latents.Get(photos.CenterCrop(photo)).Mean).to(ScalarType.Float32))
                .Select(encoder.Module.Forward),
        ];
        return
        [
            .. model.Profile.Encoders.Select(
                (_, text) =>
                    PhotoEncoder.Mean(cat([.. predicted.Select(ofPhoto => ofPhoto[text])])).MoveToOuterDisposeScope()
            ),
        ];
    }
}
