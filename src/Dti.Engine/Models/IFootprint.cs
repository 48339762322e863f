using Dti.Engine.Runtime.Devices;

namespace Dti.Engine.Models;

/// <summary>
/// The working memory of a model in addition to its weights, estimated from its shapes before anything is loaded: the
/// activations that are alive at once. Bytes.
/// </summary>
public interface IFootprint
{
    /// <summary>Of the text encoders and the denoiser in a training step.</summary>
    /// <param name="batch">Crops at once.</param>
    /// <param name="side">Pixels of a crop's side.</param>
    /// <param name="target">Where it computes.</param>
    /// <param name="policy">What is traded for memory.</param>
    double TrainingStep(int batch, int side, ComputeTarget target, MemoryPolicy policy);

    /// <summary>Of the denoiser in a sampling step.</summary>
    /// <param name="batch">Predictions at once.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="target">Where it computes.</param>
    double Denoising(int batch, int width, int height, ComputeTarget target);

    /// <summary>Of the autoencoder's encoder.</summary>
    /// <param name="pixels">Pixels that it takes at once.</param>
    /// <param name="target">Where the model computes.</param>
    double Encoding(double pixels, ComputeTarget target);

    /// <summary>Of the autoencoder's decoder.</summary>
    /// <param name="pixels">Pixels that it gives at once.</param>
    /// <param name="target">Where the model computes.</param>
    double Decoding(double pixels, ComputeTarget target);

    /// <summary>Of packed weights, for the backward pass.</summary>
    /// <param name="target">Where it computes.</param>
    /// <param name="policy">What is traded for memory.</param>
    long BackwardWeights(ComputeTarget target, MemoryPolicy policy);
}
