using Dti.Engine.Checkpoints;
using Dti.Engine.Imaging;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Evaluation;

/// <summary>What all evaluators share: weights and preprocessing.</summary>
/// <typeparam name="TModel">The model.</typeparam>
internal abstract class ImageEncoder<TModel> : IImageEncoder
    where TModel : class
{
    private readonly ImagePreprocessor _preprocessor;
    private readonly ComputeTarget _target;
    private readonly ModelComponent<TModel> _component;

    /// <summary>Reads the weights.</summary>
    /// <exception cref="DtiException">They are missing, or do not go with the config.</exception>
    protected ImageEncoder(
        string folder,
        ImagePreprocessor preprocessor,
        ComputeTarget target,
        Func<WeightScope, TModel> build
    )
    {
        (_preprocessor, _target) = (preprocessor, target);
        using var weights = ComponentWeights.Open(folder);
        _component = new ModelComponent<TModel>(weights, target, MemoryPolicy.High, build);
    }

    /// <summary>The model.</summary>
    internal TModel Model => _component.Module;

    /// <inheritdoc/>
    public Tensor EncodeImages(IReadOnlyList<RgbImage> images) =>
        FeatureBatches.Of(images, batch =>
            Features(_preprocessor.PixelValues(batch).to(_target.Dtype, _target.Device))
        );

    /// <inheritdoc/>
    public void Dispose() => _component.Dispose();

    /// <param name="pixelValues">(N, 3, H, W)</param>
    /// <returns>(N, d)</returns>
    protected abstract Tensor Features(Tensor pixelValues);

    /// <inheritdoc cref="FeatureBatches.OfTexts"/>
    protected Tensor EncodeTexts(
        IReadOnlyList<string> prompts,
        Func<string, IEnumerable<int>> tokenize,
        Func<Tensor, Tensor> features
    ) => FeatureBatches.OfTexts(prompts, tokenize, ids => features(ids.to(_target.Device)));
}
