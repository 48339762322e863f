using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Models;

/// <summary>
/// What each cell of a batch of images shows (<see cref="SceneMap"/>), as tensors. The cells of all images follow one
/// another, row by row.
/// </summary>
internal sealed class ObjectLabels
{
    /// <param name="scenes">What the images show.</param>
    /// <param name="side">Cells along each side.</param>
    public ObjectLabels(IReadOnlyList<Scene> scenes, int side)
    {
        var objects = scenes.SelectMany(scene => scene.Objects).ToArray();
        var index = new Dictionary<SceneObject, long>(ReferenceEqualityComparer.Instance);
        foreach (var (i, o) in objects.Index())
        {
            index[o] = i;
        }

        var cells = scenes.SelectMany(scene => SceneMap.Of(scene, side)).ToArray();
        var seen = cells
            .Index()
            .Where(cell => cell.Item is not null)
            .Select(cell => (cell.Index, Cell: cell.Item!.Value))
            .ToArray();

        Images = scenes.Count;
        CellsPerImage = side * side;
        Kind = tensor(cells.Select(cell => cell is { } c ? ObjectTargets.KindOf(c.Object) + 1L : 0).ToArray());
        At = tensor(seen.Select(entry => (long)entry.Index).ToArray());
        Targets = new ObjectTargets(objects).At(tensor(seen.Select(entry => index[entry.Cell.Object]).ToArray()));
        Place = tensor(
            seen.SelectMany(entry => (float[])[entry.Cell.At.X, entry.Cell.At.Y]).ToArray(),
            [seen.Length, 2]
        );
    }

    public int Images { get; }

    public int CellsPerImage { get; }

    /// <summary>
    /// (cells) int64: 0 where there is no object, else one more than <see cref="ObjectTargets.KindOf"/>.
    /// </summary>
    public Tensor Kind { get; }

    /// <summary>(n) int64, which cells show an object; the labels below are theirs.</summary>
    public Tensor At { get; }

    /// <summary>What these cells' objects look like.</summary>
    public ObjectTargets Targets { get; }

    /// <summary>(n, 2) fp32: <see cref="ObjectCell.At"/>.</summary>
    public Tensor Place { get; }
}
