using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// Large images through an autoencoder, tile by tile (tiled_encode and tiled_decode of diffusers' autoencoders): tiles
/// overlap by a part, where the one above and the one on the left fade into the next. Each tile is normalised by
/// itself, so the result differs a little from that of the whole. Memory is that of a tile, not of the image.
/// </summary>
internal static class VaeTiling
{
    private const int Quarter = 4;

    /// <summary>Runs a half of an autoencoder over tiles.</summary>
    /// <param name="x">(B, C, H, W)</param>
    /// <param name="tile">Side of a tile of <paramref name="x"/>, a multiple of its parts.</param>
    /// <param name="resultTile">Side of what it becomes, a multiple of its parts.</param>
    /// <param name="half">From a tile, which at the right and below may be smaller, to its result.</param>
    /// <param name="overlapParts">A tile overlaps the next by one part of so many.</param>
    public static Tensor Run(Tensor x, int tile, int resultTile, Func<Tensor, Tensor> half, int overlapParts = Quarter)
    {
        using var scope = NewDisposeScope();
        var (step, overlap) = (tile - (tile / overlapParts), resultTile / overlapParts);
        var limit = resultTile - overlap;
        var rows = new List<Tensor>();
        Tensor[] above = [];
        for (var top = 0L; top < x.shape[2]; top += step)
        {
            using var row = NewDisposeScope();
            var tiles = new List<Tensor>();
            for (var left = 0L; left < x.shape[3]; left += step)
            {
                using var one = NewDisposeScope();
                var result = half(
                    x.narrow(2, top, Math.Min(tile, x.shape[2] - top))
                        .narrow(3, left, Math.Min(tile, x.shape[3] - left))
                );
                result = above.Length > 0 ? Fade(above[tiles.Count], result, overlap, axis: 2) : result;
                tiles.Add(
                    (tiles.Count > 0 ? Fade(tiles[^1], result, overlap, axis: 3) : result).MoveToOuterDisposeScope()
                );
            }

            rows.Add(cat([.. tiles.Select(part => Cut(part, limit))], 3).MoveToOuterDisposeScope());
            Array.ForEach(above, part => part.Dispose());
            above = [.. tiles.Select(part => part.MoveToOuterDisposeScope())];
        }

        return cat(rows, 2).MoveToOuterDisposeScope();
    }

    /// <summary>The first of the second, as far as they overlap, fades in over the last of the first.</summary>
    private static Tensor Fade(Tensor before, Tensor after, long overlap, int axis)
    {
        overlap = Math.Min(overlap, Math.Min(before.shape[axis], after.shape[axis]));
        var length = after.shape[axis];
        var share = (arange(overlap, ScalarType.Float32, after.device) / overlap)
            .to(after.dtype)
            .view(axis == 2 ? [-1, 1] : [1, -1]);
        var faded =
            (before.narrow(axis, before.shape[axis] - overlap, overlap) * (1 - share))
            + (after.narrow(axis, 0, overlap) * share);
        return cat([faded, after.narrow(axis, overlap, length - overlap)], axis);
    }

    private static Tensor Cut(Tensor tile, long limit) =>
        tile.narrow(2, 0, Math.Min(limit, tile.shape[2])).narrow(3, 0, Math.Min(limit, tile.shape[3]));
}
