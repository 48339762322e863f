using static TorchSharp.torch;

namespace Dti.Mini.Training;

/// <summary>
/// Muon's step (Jordan et al., 2024): the momentum of a matrix with its singular values all set near 1, so that no
/// direction waits for another. Scaled as in arXiv 2502.16982, so that learning rate and weight decay mean what they
/// mean for AdamW.
/// </summary>
internal static class Muon
{
    /// <summary>Share of the old in the momentum.</summary>
    public const double Momentum = 0.95;

    private const int Iterations = 5;

    /// <summary>Which weights are such matrices: those between hidden features, kernels as (out, in·k·k).</summary>
    public static bool Takes(string name, long[] shape) =>
        shape.Length >= 2
        && !name.Contains("embedding", StringComparison.Ordinal)
        && name is not ("conv_in.weight" or "conv_out.weight");

    /// <summary>The step of one matrix, in the shape of its gradient, before the learning rate.</summary>
    /// <param name="update">Momentum (with Nesterov's look ahead), fp32.</param>
    public static Tensor Step(Tensor update)
    {
        using var scope = NewDisposeScope();
        var matrix = update.flatten(1).to(Precision.Compute);
        var (rows, columns) = (matrix.shape[0], matrix.shape[1]);
        var x = rows > columns ? matrix.t() : matrix;
        x = x / (x.norm() + 1e-7);
        for (var i = 0; i < Iterations; i++)
        {
            // A quintic that takes singular values from (0, 1] to about 0.7 to 1.2 in five rounds.
            var gram = x.matmul(x.t());
            x = (3.4445 * x) + ((-4.7750 * gram) + (2.0315 * gram.matmul(gram))).matmul(x);
        }

        x = rows > columns ? x.t() : x;
        return (x.to(ScalarType.Float32) * (0.2 * Math.Sqrt(Math.Max(rows, columns))))
            .view(update.shape)
            .MoveToOuterDisposeScope();
    }
}
