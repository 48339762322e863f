using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Mini.World;
using Dti.Mini.World.Shapes;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Mini.Models;

/// <summary>Reads from features which object is in each cell, what it looks like and which part of it is seen.</summary>
internal sealed class ObjectHead(long channels, WeightScope weights)
{
    private const long Width = 128;
    private const float ObjectCell = 4; // as much as so many cells without an object
    private static readonly int _shapes = ShapeCatalogue.All.Count;
    private static readonly int _colours = ObjectColour.All.Count;
    private static readonly int _patterns = Enum.GetValues<Pattern>().Length;
    private readonly Conv2d _hidden = new(weights.Sub("hidden"), channels, Width, 1);
    private readonly Conv2d _read = new(weights.Sub("read"), Width, _shapes + 1 + _colours + _patterns + 2, 1);

    /// <summary>How badly objects are read: cross-entropies of shape (or none), colour and pattern, and the distance of the place within the object.</summary>
    /// <param name="features">(B, channels, side, side)</param>
    /// <param name="scenes">What the pictures show.</param>
    /// <param name="weights">Of each picture, (B) fp32; null: 1.</param>
    /// <returns>The loss, and the share of objects' cells whose shape is read right.</returns>
    public (Tensor Loss, double Right) Loss(Tensor features, IReadOnlyList<Scene> scenes, Tensor? weights = null)
    {
        var side = (int)features.shape[^1];
        var read = _read.Forward(F.silu(_hidden.Forward(features))).permute(0, 2, 3, 1).flatten(0, 2).to(ScalarType.Float32); // (B·side², …)
        var parts = read.split([_shapes + 1, _colours, _patterns, 2], 1);
        var cells = scenes.SelectMany(scene => SceneMap.Of(scene, side)).ToArray();
        var seen = Enumerable.Range(0, cells.Length).Where(i => cells[i] is not null).ToArray();
        Tensor Of(Func<ObjectCell, long> label) => tensor(seen.Select(i => label(cells[i]!.Value)).ToArray());

        var shape = tensor(cells.Select(cell => cell is { } c ? ShapeCatalogue.IndexOf(c.Object.Shape) + 1L : 0).ToArray());
        var place = tensor(seen.SelectMany(i => (float[])[cells[i]!.Value.At.X, cells[i]!.Value.At.Y]).ToArray(), [seen.Length, 2]);
        var at = tensor(seen.Select(i => (long)i).ToArray());
        var picture = (weights ?? ones(scenes.Count)).repeat_interleave(side * side);
        var cell = picture * (1 + ((ObjectCell - 1) * shape.gt(0).to(ScalarType.Float32)));
        var named = (F.cross_entropy(parts[0], shape, reduction: nn.Reduction.None) * cell).sum() / (cell.sum() / picture.mean().clamp(min: 1e-3));
        var ofObjects =
            (0.5 * F.cross_entropy(parts[1][at], Of(c => ObjectColour.IndexOf(c.Object.Colour)), reduction: nn.Reduction.None))
            + (0.5 * F.cross_entropy(parts[2][at], Of(c => (long)c.Object.Pattern), reduction: nn.Reduction.None))
            + (parts[3][at] - place).abs().mean([1]);
        return (named + (ofObjects * picture[at]).mean(), parts[0][at].argmax(1).eq(shape[at]).to(ScalarType.Float32).mean().item<float>());
    }
}
