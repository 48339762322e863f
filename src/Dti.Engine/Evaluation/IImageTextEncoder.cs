using TorchSharp;

namespace Dti.Engine.Evaluation;

/// <summary>A model that judges how well images and prompts go together.</summary>
public interface IImageTextEncoder : IImageEncoder
{
    /// <summary>
    /// The features of prompts, in the space of the images'. What is too long for the model is cut.
    /// </summary>
    /// <param name="prompts">One or more.</param>
    /// <returns>(N, d) float32 on the CPU, of the length that the model gives them.</returns>
    torch.Tensor EncodeTexts(IReadOnlyList<string> prompts);

    /// <summary>
    /// The model's own score of every image with every prompt: CLIPScore is <c>logits_per_image</c> =
    /// exp(logit_scale)·cosine, SigLIPScore the probability σ(exp(logit_scale)·cosine + logit_bias).
    /// </summary>
    /// <param name="imageFeatures">(N, d), of <see cref="IImageEncoder.EncodeImages"/>.</param>
    /// <param name="textFeatures">(M, d), of <see cref="EncodeTexts"/>.</param>
    /// <returns>(N, M) float32.</returns>
    torch.Tensor Score(torch.Tensor imageFeatures, torch.Tensor textFeatures);
}
