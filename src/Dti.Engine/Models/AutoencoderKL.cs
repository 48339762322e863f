using Dti.Engine.Configs;
using Dti.Engine.Runtime;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>The settings of an autoencoder (<c>vae/config.json</c>, diffusers' AutoencoderKL).</summary>
internal sealed record AutoencoderKLConfig
{
    public required int[] BlockOutChannels { get; init; }

    public required int LayersPerBlock { get; init; }

    public required int LatentChannels { get; init; }

    public required int NormNumGroups { get; init; }

    /// <summary>What latents are multiplied by, so that the UNet sees them with unit variance.</summary>
    public required double ScalingFactor { get; init; }

    /// <summary>
    /// Mean and standard deviation by which latents are standardized before they are scaled; null: they are not (all
    /// but Playground 2.5).
    /// </summary>
    public LatentStatistics? Statistics { get; init; }

    /// <summary>It computes in fp32 whatever the model does (SDXL's overflows in fp16).</summary>
    public bool ForceUpcast { get; init; }

    /// <summary>Pixels per latent along each side.</summary>
    public int ScaleFactor => 1 << (BlockOutChannels.Length - 1);

    /// <summary>Reads the config.</summary>
    /// <exception cref="DtiException">A value is missing, out of bounds or not supported.</exception>
    public static AutoencoderKLConfig Parse(ComponentConfig config)
    {
        config.RequireAbsent("shift_factor");
        config.Require("act_fn", "silu");
        config.Require("use_quant_conv", true);
        config.Require("use_post_quant_conv", true);
        config.Require("mid_block_add_attention", true);
        config.Require("in_channels", 3);
        config.Require("out_channels", 3);
        var channels = config.IntList("block_out_channels", 1, 16_384);
        foreach (
            var (key, supported) in new[]
            {
                ("down_block_types", "DownEncoderBlock2D"),
                ("up_block_types", "UpDecoderBlock2D"),
            }
        )
        {
            if (config.Strings(key, channels.Length).FirstOrDefault(type => type != supported) is { } other)
            {
                throw config.Unsupported(key, other);
            }
        }

        var latents = config.Int("latent_channels", 4, 1, 64);
        return new AutoencoderKLConfig
        {
            BlockOutChannels = channels,
            LayersPerBlock = config.Int("layers_per_block", 1, 1, 16),
            LatentChannels = latents,
            NormNumGroups = config.Int("norm_num_groups", 32, 1, 1024),
            ScalingFactor = config.Double("scaling_factor", 0.18215),
            ForceUpcast = config.Bool("force_upcast", false),
            Statistics = LatentStatistics.Parse(config, latents),
        };
    }

    /// <summary>Latents as the denoiser sees them.</summary>
    public Tensor Normalize(Tensor latents)
    {
        using var scope = NewDisposeScope();
        return (
            Statistics is null ? latents * ScalingFactor : Statistics.Standardize(latents) * ScalingFactor
        ).MoveToOuterDisposeScope();
    }

    /// <summary>Latents as the autoencoder makes them.</summary>
    public Tensor Denormalize(Tensor latents)
    {
        using var scope = NewDisposeScope();
        var scaled = latents / ScalingFactor;
        return (Statistics is null ? scaled : Statistics.Restore(scaled)).MoveToOuterDisposeScope();
    }
}

/// <summary>Images to latents and back (arXiv 2112.10752; diffusers' AutoencoderKL).</summary>
internal sealed class AutoencoderKL
{
    private readonly int? _tile;
    private readonly VaeEncoder _encoder;
    private readonly Conv2d _quantConv;
    private readonly Conv2d _postQuantConv;
    private readonly VaeDecoder _decoder;

    /// <param name="config">The settings.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="tile">Side in pixels, a multiple of 32, above which images go through in tiles of that side;
    /// null: never.</param>
    public AutoencoderKL(AutoencoderKLConfig config, WeightScope weights, int? tile = null)
    {
        Config = config;
        _tile = tile;
        long latent = config.LatentChannels;
        _encoder = new VaeEncoder(config, weights.Sub("encoder"));
        _quantConv = new Conv2d(weights.Sub("quant_conv"), 2 * latent, 2 * latent, 1);
        _postQuantConv = new Conv2d(weights.Sub("post_quant_conv"), latent, latent, 1);
        _decoder = new VaeDecoder(config, weights.Sub("decoder"));
    }

    public AutoencoderKLConfig Config { get; }

    /// <summary>Images to the distribution of their latents, not yet scaled.</summary>
    /// <param name="image">(B, 3, H, W) in [-1, 1]; H and W multiples of 8.</param>
    public LatentDistribution Encode(Tensor image)
    {
        using var scope = NewDisposeScope();
        var moments = Tiled(image, 1, Config.ScaleFactor, tile => _quantConv.Forward(_encoder.Forward(tile)))
            .chunk(2, 1);
        return new LatentDistribution(
            moments[0].MoveToOuterDisposeScope(),
            moments[1].clamp(-30, 20).MoveToOuterDisposeScope()
        );
    }

    /// <summary>Latents, not scaled, to images.</summary>
    /// <param name="latent">(B, C, h, w)</param>
    /// <returns>(B, 3, 8h, 8w), about [-1, 1], not clamped.</returns>
    public Tensor Decode(Tensor latent)
    {
        using var scope = NewDisposeScope();
        return Tiled(latent, Config.ScaleFactor, 1, tile => _decoder.Forward(_postQuantConv.Forward(tile)))
            .MoveToOuterDisposeScope();
    }

    /// <param name="x">(B, C, H, W)</param>
    /// <param name="scale">Pixels per element of <paramref name="x"/> along each side.</param>
    /// <param name="resultScale">Pixels per element of the result.</param>
    /// <param name="half">The encoder or the decoder.</param>
    private Tensor Tiled(Tensor x, int scale, int resultScale, Func<Tensor, Tensor> half)
    {
        using var section = StepProfile.In(StepPart.Vae);
        return _tile is { } tile && Math.Max(x.shape[2], x.shape[3]) > tile / scale
            ? VaeTiling.Run(x, tile / scale, tile / resultScale, half)
            : half(x);
    }
}
