using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Evaluation;

/// <summary>
/// What features say of each other: CLIP-I, CLIP-T and DINOv2 similarity are cosines of the features of one encoder.
/// </summary>
public static class Similarity
{
    /// <summary>The cosine of each of the first with each of the second.</summary>
    /// <param name="first">(N, d)</param>
    /// <param name="second">(M, d)</param>
    /// <returns>(N, M)</returns>
    public static Tensor Cosine(Tensor first, Tensor second)
    {
        using var scope = NewDisposeScope();
        return F.normalize(first, dim: 1).matmul(F.normalize(second, dim: 1).t()).MoveToOuterDisposeScope();
    }

    /// <summary>The score of each image with the prompt of its own position: the diagonal.</summary>
    /// <param name="scores">(N, M), N ≤ M.</param>
    /// <returns>N numbers.</returns>
    /// <exception cref="ArgumentException">There are more images than prompts.</exception>
    public static float[] Paired(Tensor scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        if (scores.dim() != 2 || scores.shape[0] > scores.shape[1])
        {
            throw new ArgumentException(
                $"Each of N rows needs a column of its own; the scores are ({string.Join(", ", scores.shape)}).",
                nameof(scores)
            );
        }

        using var scope = NewDisposeScope();
        return Numbers(scores.diagonal());
    }

    /// <summary>The mean score of each image over all it was compared with.</summary>
    /// <param name="scores">(N, M)</param>
    /// <returns>N numbers.</returns>
    public static float[] RowMeans(Tensor scores)
    {
        ArgumentNullException.ThrowIfNull(scores);
        using var scope = NewDisposeScope();
        return Numbers(scores.mean([1]));
    }

    private static float[] Numbers(Tensor row) => row.to(ScalarType.Float32).cpu().contiguous().data<float>().ToArray();
}
