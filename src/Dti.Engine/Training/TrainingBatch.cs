using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>All that a denoising step needs besides the embedding.</summary>
/// <param name="Latents">x₀, scaled: (B, C, h, w) fp32.</param>
/// <param name="Noise">ε, the same shape.</param>
/// <param name="Timesteps">(B), as the model's noise process counts.</param>
/// <param name="InputIds">Captions for each text encoder, (B, 77) int64, placeholder ids included.</param>
/// <param name="Sizes">(B, 6) fp32: original height and width, top and left of the crop, its height and width; of no
/// matter to models that are not conditioned on sizes.</param>
/// <param name="Mask">How much each cell counts: (B, 1, h, w) fp32, in [0, 1]; null: all the same.</param>
internal sealed record TrainingBatch(
    Tensor Latents,
    Tensor Noise,
    Tensor Timesteps,
    IReadOnlyList<Tensor> InputIds,
    Tensor? Sizes = null,
    Tensor? Mask = null
)
{
    /// <summary>The same images in so many equal batches, one after the other; views of this one.</summary>
    public IEnumerable<TrainingBatch> Split(int parts)
    {
        var size = Latents.shape[0] / parts;
        return Enumerable
            .Range(0, parts)
            .Select(part => new TrainingBatch(
                Of(Latents, part),
                Of(Noise, part),
                Of(Timesteps, part),
                [.. InputIds.Select(ids => Of(ids, part))],
                Sizes is null ? null : Of(Sizes, part),
                Mask is null ? null : Of(Mask, part)
            ));

        Tensor Of(Tensor all, int part) => all.narrow(0, part * size, size);
    }
}
