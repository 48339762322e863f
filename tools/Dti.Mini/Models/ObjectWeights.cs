using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Models;

/// <summary>
/// Weights of the denoising loss over the cells of latents: more where objects stand. Backdrops fill most of a picture
/// and are learnt soon; without this, what is left of a small denoiser's attention goes to their grain.
/// </summary>
internal static class ObjectWeights
{
    /// <summary>How much more a cell of an object counts than one of the backdrop.</summary>
    public const float Object = 4;

    /// <summary>(B, 1, side, side) fp32, 1 or <see cref="Object"/>.</summary>
    /// <param name="scenes">The pictures' scenes.</param>
    /// <param name="side">Cells along each side.</param>
    public static Tensor Of(IReadOnlyList<Scene> scenes, int side)
    {
        var weights = new float[scenes.Count * side * side];
        Array.Fill(weights, 1);
        foreach (var (i, scene) in scenes.Index())
        {
            foreach (var o in scene.Objects)
            {
                var (left, right) = Cells(o.X - (o.Extent / 2), o.X + (o.Extent / 2), side);
                var (top, bottom) = Cells(o.Foot - o.Extent, o.Foot, side);
                for (var y = top; y <= bottom; y++)
                {
                    Array.Fill(weights, Object, (((i * side) + y) * side) + left, right - left + 1);
                }
            }
        }

        return tensor(weights, [scenes.Count, 1, side, side]);
    }

    // The cells that a part of the picture touches.
    private static (int First, int Last) Cells(float from, float to, int side) =>
        (
            Math.Clamp((int)MathF.Floor(from * side), 0, side - 1),
            Math.Clamp((int)MathF.Ceiling(to * side) - 1, 0, side - 1)
        );
}
