using Dti.Engine.Checkpoints;
using Dti.Engine.Imaging;
using Dti.Engine.Models;
using Dti.Engine.Runtime;
using static TorchSharp.torch;

namespace Dti.Engine.Evaluation;

/// <summary>What all evaluators share: weights, preprocessing, batches.</summary>
/// <typeparam name="TModel">The model.</typeparam>
internal abstract class ImageEncoder<TModel> : IImageEncoder
    where TModel : class
{
    // Bounds memory; the features do not depend on it.
    private const int BatchSize = 16;

    private readonly ImagePreprocessor _preprocessor;
    private readonly ComputeTarget _target;
    private readonly ModelComponent<TModel> _component;

    /// <summary>Reads the weights.</summary>
    /// <exception cref="DtiException">They are missing, or do not go with the config.</exception>
    protected ImageEncoder(string folder, ImagePreprocessor preprocessor, ComputeTarget target, Func<WeightScope, TModel> build)
    {
        (_preprocessor, _target) = (preprocessor, target);
        using var weights = ComponentWeights.Open(folder);
        _component = new ModelComponent<TModel>(weights, target.Dtype, target.Device, offload: false, build);
    }

    /// <summary>The model.</summary>
    internal TModel Model => _component.Module;

    /// <inheritdoc/>
    public Tensor EncodeImages(IReadOnlyList<RgbImage> images) =>
        InBatches(images, batch => Features(_preprocessor.PixelValues(batch).to(_target.Dtype, _target.Device)));

    /// <inheritdoc/>
    public void Dispose() => _component.Dispose();

    /// <param name="pixelValues">(N, 3, H, W)</param>
    /// <returns>(N, d)</returns>
    protected abstract Tensor Features(Tensor pixelValues);

    /// <summary>Features of texts from their ids.</summary>
    /// <param name="prompts">The texts.</param>
    /// <param name="tokenize">As many ids for each.</param>
    /// <param name="features">(N, L) int64 to (N, d).</param>
    protected Tensor EncodeTexts(IReadOnlyList<string> prompts, Func<string, IEnumerable<int>> tokenize, Func<Tensor, Tensor> features) => InBatches(prompts, batch =>
    {
        long[] ids = [.. batch.SelectMany(tokenize).Select(id => (long)id)];
        return features(tensor(ids, [batch.Length, ids.Length / batch.Length], ScalarType.Int64).to(_target.Device));
    });

    private static Tensor InBatches<T>(IReadOnlyList<T> items, Func<T[], Tensor> features)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfZero(items.Count, nameof(items));
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var rows = new List<Tensor>();
        foreach (var batch in items.Chunk(BatchSize))
        {
            using var passing = NewDisposeScope();
            rows.Add(features(batch).to(ScalarType.Float32).cpu().MoveToOuterDisposeScope());
        }

        return cat(rows).MoveToOuterDisposeScope();
    }
}
