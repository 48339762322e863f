namespace Dti.Engine.Models;

/// <summary>Norms of a vocabulary's token embeddings, over the rows that are not zero.</summary>
public sealed class VocabularyNorms
{
    private readonly float[] _norms;

    /// <param name="norms">Of all rows, by token id; those that are 0 do not count.</param>
    internal VocabularyNorms(float[] norms)
    {
        _norms = norms;
        float[] sorted = [.. norms.Where(norm => norm > 0).Order()];
        (Min, Max, Mean) = (sorted[0], sorted[^1], sorted.Average());
        Median = (sorted[(sorted.Length - 1) / 2] + (double)sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>Of all tokens, by id.</summary>
    internal ReadOnlySpan<float> All => _norms;

    /// <summary>The smallest.</summary>
    public double Min { get; }

    /// <summary>The mean: DTI's magnitude.</summary>
    public double Mean { get; }

    /// <summary>The median.</summary>
    public double Median { get; }

    /// <summary>The largest.</summary>
    public double Max { get; }

    /// <summary>Of one token.</summary>
    /// <param name="id">The token.</param>
    public double Of(int id) => _norms[id];
}
