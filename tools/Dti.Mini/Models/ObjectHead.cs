using Dti.Engine.Models;
using Dti.Engine.Weights;
using Dti.Mini.World;
using Dti.Mini.World.Shapes;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Mini.Models;

/// <summary>Reads from features which object is in each cell, what it looks like and which part of it is seen.</summary>
internal sealed class ObjectHead(long channels, WeightScope weights)
{
    private const long Width = 128;
    private static readonly int _shapes = ShapeCatalogue.All.Count;
    private static readonly int _colours = ObjectColour.All.Count;
    private static readonly int _patterns = Enum.GetValues<Pattern>().Length;
    private readonly Conv2d _hidden = new(weights.Sub("hidden"), channels, Width, 1);
    private readonly Conv2d _read = new(weights.Sub("read"), Width, _shapes + 1 + _colours + _patterns + 2, 1);

    /// <summary>How badly objects are read: cross-entropies of shape (or none), colour and pattern, and the distance of the place within the object.</summary>
    /// <param name="features">(B, channels, side, side)</param>
    /// <param name="labels">What the pictures show, in as many cells.</param>
    /// <param name="weights">Of each picture, (B) fp32; null: 1.</param>
    /// <returns>The loss, and the share of objects' cells whose shape is read right.</returns>
    public (Tensor Loss, double Right) Loss(Tensor features, ObjectLabels labels, Tensor? weights = null)
    {
        var read = _read.Forward(F.silu(_hidden.Forward(features))).permute(0, 2, 3, 1).flatten(0, 2).to(ScalarType.Float32); // (B·side², …)
        var parts = read.split([_shapes + 1, _colours, _patterns, 2], 1);
        var picture = (weights ?? ones(labels.Pictures)).repeat_interleave(labels.CellsPerPicture);
        var cell = picture * (1 + ((ObjectWeights.Object - 1) * labels.Shape.gt(0).to(ScalarType.Float32)));
        var named = (F.cross_entropy(parts[0], labels.Shape, reduction: nn.Reduction.None) * cell).sum() / (cell.sum() / picture.mean().clamp(min: 1e-3));
        var ofObjects =
            (0.5 * F.cross_entropy(parts[1][labels.At], labels.Colour, reduction: nn.Reduction.None))
            + (0.5 * F.cross_entropy(parts[2][labels.At], labels.Pattern, reduction: nn.Reduction.None))
            + (parts[3][labels.At] - labels.Place).abs().mean([1]);
        return (named + (ofObjects * picture[labels.At]).mean(), parts[0][labels.At].argmax(1).eq(labels.Shape[labels.At]).to(ScalarType.Float32).mean().item<float>());
    }
}
