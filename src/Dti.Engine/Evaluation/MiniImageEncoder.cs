using Dti.Engine.Models;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Evaluation;

/// <summary>A small convolutional network: what the contrastive models of dti-mini see an image with.</summary>
internal sealed class MiniImageEncoder
{
    /// <summary>Channels of the fine map.</summary>
    public const long FineChannels = 96;

    /// <summary>Channels of the coarse map.</summary>
    public const long CoarseChannels = 128;

    private const long Patch = 4;
    private readonly bool _patches;
    private readonly Conv2d[] _downs;
    private readonly Block[] _blocks;

    /// <param name="weights">The weights.</param>
    /// <param name="patches">Begin with patches of 4 × 4 pixels instead of two strided convolutions, whose few channels
    /// cost a third of the time.</param>
    public MiniImageEncoder(WeightScope weights, bool patches = false)
    {
        _patches = patches;
        (long In, long Out)[] levels = patches
            ? [(48, FineChannels), (FineChannels, CoarseChannels)]
            : [(3, 24), (24, 48), (48, FineChannels), (FineChannels, CoarseChannels)];
        IEnumerable<Conv2d> stem = patches
            ? [new Conv2d(weights.Sub("stem"), 3 * Patch * Patch, 48, 3, padding: 1)]
            : [];
        _downs =
        [
            .. stem,
            .. levels.Select(
                (level, i) => new Conv2d(weights.Sub("downs").Sub(i), level.In, level.Out, 4, stride: 2, padding: 1)
            ),
        ];
        long[] widths = [48, FineChannels, FineChannels, CoarseChannels, CoarseChannels];
        _blocks = [.. widths.Select((width, i) => new Block(weights.Sub("blocks").Sub(i), width))];
    }

    /// <param name="image">(B, 3, 128, 128) in [−1, 1]</param>
    /// <returns>Maps of (B, 96, 16, 16) and (B, 128, 8, 8).</returns>
    public (Tensor Fine, Tensor Coarse) Forward(Tensor image)
    {
        var h = _patches
            ? _downs[0].Forward(F.pixel_unshuffle(image, Patch))
            : _downs[1].Forward(F.silu(_downs[0].Forward(image)));
        h = _blocks[0].Forward(h); // 32 × 32
        var fine = _blocks[2].Forward(_blocks[1].Forward(_downs[^2].Forward(h))); // 16 × 16
        var coarse = _blocks[4].Forward(_blocks[3].Forward(_downs[^1].Forward(F.silu(fine)))); // 8 × 8
        return (fine, coarse);
    }

    /// <summary>x + conv(silu(norm(conv(silu(norm(x)))))).</summary>
    private sealed class Block(WeightScope weights, long width)
    {
        private readonly GroupNorm _norm1 = new(weights.Sub("norm1"), 8, width, 1e-5);
        private readonly Conv2d _conv1 = new(weights.Sub("conv1"), width, width, 3, padding: 1);
        private readonly GroupNorm _norm2 = new(weights.Sub("norm2"), 8, width, 1e-5);
        private readonly Conv2d _conv2 = new(weights.Sub("conv2"), width, width, 3, padding: 1);

        public Tensor Forward(Tensor x) =>
            x + _conv2.Forward(F.silu(_norm2.Forward(_conv1.Forward(F.silu(_norm1.Forward(x))))));
    }
}
