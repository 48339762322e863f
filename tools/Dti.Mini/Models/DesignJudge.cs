using Dti.Engine.Models;
using Dti.Engine.Weights;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Mini.Models;

/// <summary>
/// The part of the judge that reads designs: a convolutional network on a crop around the object. The grid of
/// <see cref="JudgeModel"/> finds objects, but is too coarse for their parts.
/// </summary>
internal sealed class DesignJudge
{
    private const int Side = 96; // of a crop, after it is resized
    private const float Margin = 1.35f; // of a crop, relative to the object's extent
    private const long Patch = 4;
    private const long Width = 256;
    private static readonly long[] _channels = [64, 96, 128];

    private readonly Conv2d _stem;
    private readonly (GroupNorm Norm1, Conv2d Conv1, GroupNorm Norm2, Conv2d Conv2)[] _blocks;
    private readonly Conv2d[] _downs;
    private readonly Linear _hidden;
    private readonly ObjectReadout _object;
    private readonly Conv2d _where1;
    private readonly Conv2d _where2;

    public DesignJudge(WeightScope weights)
    {
        _stem = new Conv2d(weights.Sub("stem"), 3 * Patch * Patch, _channels[0], 3, padding: 1);
        _downs =
        [
            .. Enumerable
                .Range(0, _channels.Length - 1)
                .Select(i => new Conv2d(
                    weights.Sub("downs").Sub(i),
                    _channels[i],
                    _channels[i + 1],
                    4,
                    stride: 2,
                    padding: 1
                )),
        ];
        _blocks =
        [
            .. _channels.Select(
                (channels, i) =>
                {
                    var block = weights.Sub("blocks").Sub(i);
                    return (
                        new GroupNorm(block.Sub("norm1"), 8, channels, 1e-5),
                        new Conv2d(block.Sub("conv1"), channels, channels, 3, padding: 1),
                        new GroupNorm(block.Sub("norm2"), 8, channels, 1e-5),
                        new Conv2d(block.Sub("conv2"), channels, channels, 3, padding: 1)
                    );
                }
            ),
        ];
        var last = Side / (int)Patch >> _downs.Length;
        _hidden = new Linear(weights.Sub("flat"), _channels[^1] * last * last, Width);
        _object = new ObjectReadout(Width, weights.Sub("object"), Width);
        _where1 = new Conv2d(weights.Sub("where1"), _channels[0] + _channels[^1], _channels[0], 1);
        _where2 = new Conv2d(weights.Sub("where2"), _channels[0], DesignParameters.Colours / 3, 1);
    }

    /// <summary>Reads objects in crops.</summary>
    /// <param name="crops">(n, 3, 96, 96) in [−1, 1], of <see cref="Crop"/>.</param>
    public ObjectReading Read(Tensor crops)
    {
        var h = _stem.Forward(F.pixel_unshuffle(crops, Patch));
        var fine = h;
        foreach (var (i, block) in _blocks.Index())
        {
            h =
                h
                + block.Conv2.Forward(F.silu(block.Norm2.Forward(block.Conv1.Forward(F.silu(block.Norm1.Forward(h))))));
            fine = i == 0 ? F.silu(h) : fine;
            h = i < _downs.Length ? _downs[i].Forward(F.silu(h)) : F.silu(h);
        }

        var read = _object.Read(F.silu(_hidden.Forward(h.flatten(1))));
        return read with { Colours = read.Colours + Seen(crops, fine, h) };
    }

    /// <summary>
    /// The colours at the places where the parts of each colour are, (n, 9) fp32: a mean of pixels, weighted by
    /// attention.
    /// </summary>
    private Tensor Seen(Tensor crops, Tensor fine, Tensor coarse)
    {
        var up = F.interpolate(coarse, [fine.shape[2], fine.shape[3]], mode: InterpolationMode.Nearest);
        var where = _where2.Forward(F.silu(_where1.Forward(cat([fine, up], 1)))).to(ScalarType.Float32);
        var pixels = F.avg_pool2d(crops.to(ScalarType.Float32), Patch).flatten(2); // (n, 3, 576)
        return where.flatten(2).softmax(-1).matmul(pixels.transpose(1, 2)).flatten(1);
    }

    /// <summary>The crop around an object: fp32 (1, 3, 96, 96).</summary>
    /// <param name="image">(1, 3, 128, 128)</param>
    /// <param name="x">Of its middle, 0 to 1.</param>
    /// <param name="foot">Where it stands, 0 (top of the image) to 1.</param>
    /// <param name="extent">Its height and width, as a part of the image.</param>
    public static Tensor Crop(Tensor image, float x, float foot, float extent)
    {
        const int All = SceneRenderer.Side;
        var side = Math.Clamp((int)(Margin * extent * All), 24, 2 * All);
        var left = (int)(x * All) - (side / 2);
        var top = (int)((foot - (extent / 2)) * All) - (side / 2);
        var (right, bottom) = (left + side - All, top + side - All);
        var inside = image[
            ..,
            ..,
            Math.Clamp(top, 0, All - 1)..Math.Clamp(top + side, 1, All),
            Math.Clamp(left, 0, All - 1)..Math.Clamp(left + side, 1, All)
        ];
        var padded = F.pad(
            inside.to(ScalarType.Float32),
            [Math.Max(0, -left), Math.Max(0, right), Math.Max(0, -top), Math.Max(0, bottom)],
            value: 0
        );
        return F.interpolate(padded, [Side, Side], mode: InterpolationMode.Bilinear, align_corners: false);
    }
}
