using Dti.Mini.World;
using Dti.Mini.World.Shapes;
using static TorchSharp.torch;

namespace Dti.Mini.Models;

/// <summary>What each cell of a batch of pictures shows (<see cref="SceneMap"/>), as tensors; the cells of all pictures one after another, row by row.</summary>
internal sealed class ObjectLabels
{
    /// <param name="scenes">What the pictures show.</param>
    /// <param name="side">Cells along each side.</param>
    public ObjectLabels(IReadOnlyList<Scene> scenes, int side)
    {
        var cells = scenes.SelectMany(scene => SceneMap.Of(scene, side)).ToArray();
        var seen = cells.Index().Where(cell => cell.Item is not null).Select(cell => (cell.Index, Cell: cell.Item!.Value)).ToArray();
        Tensor Of(Func<ObjectCell, long> label) => tensor(seen.Select(entry => label(entry.Cell)).ToArray());

        Pictures = scenes.Count;
        CellsPerPicture = side * side;
        Shape = tensor(cells.Select(cell => cell is { } c ? ShapeCatalogue.IndexOf(c.Object.Shape) + 1L : 0).ToArray());
        At = tensor(seen.Select(entry => (long)entry.Index).ToArray());
        Colour = Of(cell => ObjectColour.IndexOf(cell.Object.Colour));
        Pattern = Of(cell => (long)cell.Object.Pattern);
        Place = tensor(seen.SelectMany(entry => (float[])[entry.Cell.At.X, entry.Cell.At.Y]).ToArray(), [seen.Length, 2]);
    }

    public int Pictures { get; }

    public int CellsPerPicture { get; }

    /// <summary>(cells) int64: 0 where there is no object, else one more than the place of its shape in the catalogue.</summary>
    public Tensor Shape { get; }

    /// <summary>(n) int64, which cells show an object; the labels below are theirs.</summary>
    public Tensor At { get; }

    /// <summary>(n) int64</summary>
    public Tensor Colour { get; }

    /// <summary>(n) int64</summary>
    public Tensor Pattern { get; }

    /// <summary>(n, 2) fp32: <see cref="ObjectCell.At"/>.</summary>
    public Tensor Place { get; }
}
