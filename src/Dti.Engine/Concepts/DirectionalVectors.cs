namespace Dti.Engine.Concepts;

/// <summary>
/// The vectors of a concept in one text encoder: e_i = m_i·v_i with unit directions v_i and magnitudes m_i
/// (arXiv 2512.13672, section 4). Immutable.
/// </summary>
public sealed class DirectionalVectors
{
    private readonly float[][] _directions;
    private readonly float[] _magnitudes;

    /// <summary>Takes directions, which are normalised, and magnitudes.</summary>
    /// <param name="directions">n rows of d values; none may be all zero or hold a value that is not finite.</param>
    /// <param name="magnitudes">n positive values.</param>
    /// <exception cref="DtiException">No rows, rows of different lengths, a zero row, or a value that is not
    /// finite.</exception>
    public DirectionalVectors(IReadOnlyList<float[]> directions, IReadOnlyList<float> magnitudes)
    {
        if (
            directions.Count == 0
            || directions.Count != magnitudes.Count
            || directions.Any(row => row.Length == 0 || row.Length != directions[0].Length)
        )
        {
            throw new DtiException(
                ErrorKind.InvalidArgument,
                "A concept needs at least one vector, all of the same width, each with a magnitude."
            );
        }

        _directions = [.. directions.Select(Unit)];
        _magnitudes = [.. magnitudes];
        if (_magnitudes.Any(m => !float.IsFinite(m) || m <= 0))
        {
            throw new DtiException(ErrorKind.InvalidArgument, "A concept's magnitudes must be positive and finite.");
        }
    }

    /// <summary>n, the number of vectors.</summary>
    public int Count => _directions.Length;

    /// <summary>d, the width of the token embedding.</summary>
    public int Dimension => _directions[0].Length;

    /// <summary>The magnitudes m, n values.</summary>
    public IReadOnlyList<float> Magnitudes => _magnitudes;

    /// <summary>Splits embeddings into direction and magnitude.</summary>
    /// <param name="embeddings">n rows e_i of d values.</param>
    /// <exception cref="DtiException">As the constructor.</exception>
    public static DirectionalVectors FromEmbeddings(IReadOnlyList<float[]> embeddings) =>
        new(embeddings, [.. embeddings.Select(row => (float)Norm(row))]);

    /// <summary>The same directions, all of one magnitude.</summary>
    /// <param name="magnitude">m, positive.</param>
    public DirectionalVectors WithMagnitude(float magnitude) =>
        new(_directions, [.. Enumerable.Repeat(magnitude, Count)]);

    /// <summary>The direction v_i, d values of norm 1.</summary>
    public ReadOnlySpan<float> Direction(int index) => _directions[index];

    /// <summary>The embedding e_i = m_i·v_i, d values.</summary>
    public float[] Embedding(int index) => Array.ConvertAll(_directions[index], value => value * _magnitudes[index]);

    private static float[] Unit(float[] row)
    {
        var norm = Norm(row);
        return double.IsFinite(norm) && norm > 0
            ? Array.ConvertAll(row, value => (float)(value / norm))
            : throw new DtiException(
                ErrorKind.InvalidArgument,
                "A concept's vector is all zero or holds a value that is not finite."
            );
    }

    private static double Norm(float[] row) => Math.Sqrt(row.Sum(value => (double)value * value));
}
