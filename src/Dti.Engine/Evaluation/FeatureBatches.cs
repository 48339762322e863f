using static TorchSharp.torch;

namespace Dti.Engine.Evaluation;

/// <summary>Features of any number of images or texts, a few at a time.</summary>
internal static class FeatureBatches
{
    // Bounds memory; the features do not depend on it.
    private const int Size = 16;

    /// <summary>(N, d) float32 on the CPU.</summary>
    /// <param name="items">One or more.</param>
    /// <param name="features">Some of them to (n, d).</param>
    public static Tensor Of<T>(IReadOnlyList<T> items, Func<T[], Tensor> features)
    {
        ArgumentNullException.ThrowIfNull(items);
        ArgumentOutOfRangeException.ThrowIfZero(items.Count, nameof(items));
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var rows = new List<Tensor>();
        foreach (var batch in items.Chunk(Size))
        {
            using var passing = NewDisposeScope();
            rows.Add(features(batch).to(ScalarType.Float32).cpu().MoveToOuterDisposeScope());
        }

        return cat(rows).MoveToOuterDisposeScope();
    }

    /// <summary>Features of texts from their ids.</summary>
    /// <param name="prompts">The texts.</param>
    /// <param name="tokenize">As many ids for each.</param>
    /// <param name="features">(n, L) int64 to (n, d).</param>
    public static Tensor OfTexts(
        IReadOnlyList<string> prompts,
        Func<string, IEnumerable<int>> tokenize,
        Func<Tensor, Tensor> features
    ) => Of(prompts, batch =>
        {
            long[] ids = [.. batch.SelectMany(tokenize).Select(id => (long)id)];
            return features(tensor(ids, [batch.Length, ids.Length / batch.Length], ScalarType.Int64));
        });
}
