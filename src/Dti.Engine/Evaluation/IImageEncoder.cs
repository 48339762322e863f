using Dti.Engine.Imaging;
using TorchSharp;

namespace Dti.Engine.Evaluation;

/// <summary>A model that judges images by their features. Owns its weights; thread-safe.</summary>
public interface IImageEncoder : IDisposable
{
    /// <summary>The features of images of any size; <see cref="Similarity"/> compares them.</summary>
    /// <param name="images">One or more.</param>
    /// <returns>(N, d) float32 on the CPU, of the length that the model gives them.</returns>
    /// <exception cref="DtiException">An image is too thin a strip.</exception>
    torch.Tensor EncodeImages(IReadOnlyList<RgbImage> images);
}
