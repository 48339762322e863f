using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>All that a denoising step needs besides the embedding.</summary>
/// <param name="Latents">x₀, scaled: (B, C, h, w) fp32.</param>
/// <param name="Noise">ε, the same shape.</param>
/// <param name="Timesteps">(B) int64.</param>
/// <param name="InputIds">Captions, (B, 77) int64, placeholder ids included.</param>
internal sealed record TrainingBatch(Tensor Latents, Tensor Noise, Tensor Timesteps, Tensor InputIds);
