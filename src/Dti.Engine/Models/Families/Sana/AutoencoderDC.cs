using Dti.Engine.Runtime;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>
/// Images to latents of 1/32 of their sides and back (arXiv 2410.10733; diffusers' AutoencoderDC). Deterministic. Each
/// change of size has a shortcut that moves pixels into channels or back.
/// </summary>
internal sealed class AutoencoderDC
{
    private const int OverlapParts = 8; // as diffusers' tiles of 512 pixels, one every 448
    private readonly AutoencoderDCConfig _config;
    private readonly int? _tile;
    private readonly Conv2d _encoderIn;
    private readonly IDcLayer[] _down;
    private readonly Conv2d _encoderOut;
    private readonly Conv2d _decoderIn;
    private readonly IDcLayer[] _up;
    private readonly RmsNorm _decoderNorm;
    private readonly Conv2d _decoderOut;

    /// <param name="config">The settings.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="tile">Side in pixels, a multiple of 256, above which images go through in tiles of that side;
    /// null: never.</param>
    public AutoencoderDC(AutoencoderDCConfig config, WeightScope weights, int? tile = null)
    {
        (_config, _tile) = (config, tile);
        var (encoder, decoder) = (weights.Sub("encoder"), weights.Sub("decoder"));
        long latent = config.LatentChannels;
        _encoderIn = new Conv2d(encoder.Sub("conv_in"), 3, config.Encoder[0].Channels, 3, padding: 1);
        _down = [.. Down(encoder.Sub("down_blocks"))];
        _encoderOut = new Conv2d(encoder.Sub("conv_out"), config.Encoder[^1].Channels, latent, 3, padding: 1);
        _decoderIn = new Conv2d(decoder.Sub("conv_in"), latent, config.Decoder[^1].Channels, 3, padding: 1);
        _up = [.. Up(decoder.Sub("up_blocks"))];
        _decoderNorm = new RmsNorm(decoder.Sub("norm_out"), config.Decoder[0].Channels, bias: true);
        _decoderOut = new Conv2d(decoder.Sub("conv_out"), config.Decoder[0].Channels, 3, 3, padding: 1);
    }

    /// <summary>Images to latents, not yet scaled.</summary>
    /// <param name="image">(B, 3, H, W) in [−1, 1]; H and W multiples of 32.</param>
    public Tensor Encode(Tensor image)
    {
        using var section = StepProfile.In(StepPart.Vae);
        return _tile is { } tile && Math.Max(image.shape[2], image.shape[3]) > tile
            ? VaeTiling.Run(image, tile, tile / _config.ScaleFactor, EncodeWhole, OverlapParts)
            : EncodeWhole(image);
    }

    /// <summary>Latents, not scaled, to images.</summary>
    /// <param name="latent">(B, C, h, w)</param>
    /// <returns>(B, 3, 32h, 32w), about [−1, 1], not clamped.</returns>
    public Tensor Decode(Tensor latent)
    {
        using var section = StepProfile.In(StepPart.Vae);
        return _tile is { } tile && Math.Max(latent.shape[2], latent.shape[3]) * _config.ScaleFactor > tile
            ? DecodeTiled(latent, tile, OverlapParts)
            : DecodeWhole(latent);
    }

    /// <summary>Decodes tile by tile.</summary>
    /// <param name="latent">(B, C, h, w)</param>
    /// <param name="tile">Side of a tile in pixels.</param>
    /// <param name="overlapParts">A tile overlaps the next by one part of so many, each of whole latents.</param>
    internal Tensor DecodeTiled(Tensor latent, int tile, int overlapParts) =>
        VaeTiling.Run(latent, tile / _config.ScaleFactor, tile, DecodeWhole, overlapParts);

    private Tensor EncodeWhole(Tensor image)
    {
        using var scope = NewDisposeScope();
        var x = Run(_down, _encoderIn.Forward(image));
        var means = x.unflatten(1, _config.LatentChannels, -1).mean([2L]);
        return (_encoderOut.Forward(x) + means).MoveToOuterDisposeScope();
    }

    private Tensor DecodeWhole(Tensor latent)
    {
        using var scope = NewDisposeScope();
        var repeated = latent.repeat_interleave(_config.Decoder[^1].Channels / _config.LatentChannels, 1);
        var x = Run(_up, _decoderIn.Forward(latent) + repeated);
        return _decoderOut.Forward(F.relu(_decoderNorm.ForwardChannels(x))).MoveToOuterDisposeScope();
    }

    /// <summary>Each layer's input is freed as soon as its result is there.</summary>
    private static Tensor Run(IDcLayer[] layers, Tensor x)
    {
        foreach (var layer in layers)
        {
            var next = layer.Forward(x);
            if (!x.requires_grad)
            {
                x.Dispose();
            }

            x = next;
        }

        return x;
    }

    private IEnumerable<IDcLayer> Down(WeightScope weights)
    {
        foreach (var (index, level) in _config.Encoder.Index())
        {
            var own = weights.Sub(index);
            for (var layer = 0; layer < level.Layers; layer++)
            {
                yield return Block(level, own.Sub(layer));
            }

            if (index < _config.Encoder.Count - 1)
            {
                yield return new DcDown(own.Sub(level.Layers), level.Channels, _config.Encoder[index + 1].Channels);
            }
        }
    }

    private IEnumerable<IDcLayer> Up(WeightScope weights)
    {
        for (var index = _config.Decoder.Count - 1; index >= 0; index--)
        {
            var (level, own, first) = (_config.Decoder[index], weights.Sub(index), 0);
            if (index < _config.Decoder.Count - 1)
            {
                yield return new DcUp(own.Sub(first++), _config.Decoder[index + 1].Channels, level.Channels);
            }

            for (var layer = 0; layer < level.Layers; layer++)
            {
                yield return Block(level, own.Sub(first + layer));
            }
        }
    }

    private IDcLayer Block(DcLevel level, WeightScope weights) =>
        level.Attends
            ? new EfficientVitBlock(weights, level.Channels, _config.HeadDim, level.Scales)
            : new DcResBlock(weights, level.Channels);
}
