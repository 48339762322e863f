using Dti.Engine.Models;
using Dti.Engine.Weights;
using Dti.Mini.World.Designs;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Mini.Models;

/// <summary>
/// Gives designs their embeddings: directions from their parameters, all with the norm of words. A text space in which
/// new designs appear all the time, with some noise, has room for designs that no name stands for; names alone would be
/// learnt by heart.
/// </summary>
internal sealed class DesignEmbedder(long width, WeightScope weights)
{
    /// <summary>
    /// The norm of all rows: what words reach by the end of training, so that names are words like others.
    /// </summary>
    public const double Norm = 0.71;

    /// <summary>The longest noise, relative to the norm.</summary>
    public const double Noise = 0.5;

    private const long Hidden = 256;
    private readonly Linear _first = new(weights.Sub("first"), DesignParameters.Count, Hidden);
    private readonly Linear _second = new(weights.Sub("second"), Hidden, Hidden);
    private readonly Linear _last = new(weights.Sub("last"), Hidden, width);

    /// <summary>(r, width) of length <see cref="Norm"/>.</summary>
    /// <param name="parameters">(r, <see cref="DesignParameters.Count"/>) fp32</param>
    /// <param name="generator">Of the noise; null: none.</param>
    public Tensor Embed(Tensor parameters, Generator? generator = null)
    {
        var hidden = F.silu(_second.Forward(F.silu(_first.Forward(parameters))));
        var directions = F.normalize(_last.Forward(hidden));
        if (generator is not null)
        {
            var noise = F.normalize(randn(directions.shape, ScalarType.Float32, generator: generator));
            directions = F.normalize(
                directions + (noise * rand([directions.shape[0], 1], generator: generator) * Noise)
            );
        }

        return directions * Norm;
    }
}
