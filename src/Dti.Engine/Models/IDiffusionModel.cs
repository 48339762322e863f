using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// A loaded model of any family: text encoders, denoiser, autoencoder. Its weights never change and take no gradients.
/// One computation at a time may use it.
/// </summary>
public interface IDiffusionModel : IDisposable
{
    /// <summary>What the model is.</summary>
    ModelProfile Profile { get; }

    /// <summary>Where it computes.</summary>
    ComputeTarget Target { get; }

    /// <summary>What it trades for memory.</summary>
    MemoryPolicy Memory { get; }

    /// <summary>The noise process that it was trained with, where it computes.</summary>
    INoiseProcess NoiseProcess { get; }

    /// <summary>Its text encoders, one for each set of a concept's vectors.</summary>
    IReadOnlyList<ITextEncoder> TextEncoders { get; }

    /// <summary>
    /// Says what is used next: everything else may leave the device, if idle components do. Whatever is used comes back
    /// by itself, so this only ever saves memory.
    /// </summary>
    void UseOnly(ModelParts parts);

    /// <summary>Frees what only training needs, until the next training.</summary>
    void ReleaseTransposed();

    /// <summary>The conditioning of prompts.</summary>
    /// <param name="inputIds">(B, L) int64 for each text encoder.</param>
    /// <param name="conceptRows">(r, d) for each text encoder; null: none.</param>
    /// <param name="clipSkip">The last layer in use, from the end, 1 to <see cref="ModelProfile.MaxClipSkip"/>.</param>
    /// <param name="checkpoints">Of activations, in training; null: none.</param>
    Conditioning Condition(
        IReadOnlyList<Tensor> inputIds,
        IReadOnlyList<Tensor?> conceptRows,
        int clipSkip = 1,
        ActivationCheckpoints? checkpoints = null
    );

    /// <summary>What the model predicts of noisy latents: noise, velocity or flow, as its process says.</summary>
    /// <param name="sample">
    /// Noisy latents as the model sees them, (B, C, h, w). Or (1, C, h, w) for all B prompts: then what comes before
    /// the first layer that sees the prompt may be done once.
    /// </param>
    /// <param name="times">(B) or (1), as the noise process counts.</param>
    /// <param name="conditioning">Of B prompts.</param>
    /// <param name="checkpoints">Of activations, in training; null: none.</param>
    /// <param name="keys">Cached keys and values of the prompts, reused by all sampling steps; null: they are
    /// computed.</param>
    /// <returns>(B, C, h, w)</returns>
    Tensor Predict(
        Tensor sample,
        Tensor times,
        Conditioning conditioning,
        ActivationCheckpoints? checkpoints = null,
        PromptKeys? keys = null
    );

    /// <summary>The latents of images as the autoencoder gives them, fp32.</summary>
    /// <param name="pixels">(B, 3, H, W) fp32 on the CPU, in [−1, 1]; H and W multiples of the latents' factor.</param>
    LatentDistribution Encode(Tensor pixels);

    /// <summary>Latents as the denoiser sees them, of about unit variance.</summary>
    /// <param name="latents">As the autoencoder gives them, (B, C, h, w).</param>
    Tensor Normalize(Tensor latents);

    /// <summary>The images of latents.</summary>
    /// <param name="latents">As the denoiser sees them, (B, C, h, w) fp32.</param>
    /// <returns>(B, 3, H, W), about [−1, 1], not clamped.</returns>
    Tensor Decode(Tensor latents);
}
