using System.Text.Json;
using Dti.Engine.Configs;
using static TorchSharp.torch;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>A level of a deep-compression autoencoder's encoder or decoder.</summary>
/// <param name="Channels">Channels.</param>
/// <param name="Layers">Blocks.</param>
/// <param name="Attends">Whether its blocks are EfficientViT's; else residual convolutions.</param>
/// <param name="Scales">Kernels of the further scales of attention.</param>
internal sealed record DcLevel(int Channels, int Layers, bool Attends, IReadOnlyList<int> Scales);

/// <summary>
/// The settings of a deep-compression autoencoder (<c>vae/config.json</c>, diffusers' AutoencoderDC).
/// </summary>
internal sealed record AutoencoderDCConfig
{
    /// <summary>Channels of latents.</summary>
    public required int LatentChannels { get; init; }

    /// <summary>What latents are multiplied by, so that the transformer sees them with unit variance.</summary>
    public required double ScalingFactor { get; init; }

    /// <summary>Width of a head of attention.</summary>
    public required int HeadDim { get; init; }

    /// <summary>The encoder's levels, from the image.</summary>
    public required IReadOnlyList<DcLevel> Encoder { get; init; }

    /// <summary>The decoder's levels, from the image.</summary>
    public required IReadOnlyList<DcLevel> Decoder { get; init; }

    /// <summary>Pixels per latent along each side.</summary>
    public int ScaleFactor => 1 << (Encoder.Count - 1);

    /// <summary>Reads the config.</summary>
    /// <exception cref="DtiException">A value is missing, out of bounds or not supported.</exception>
    public static AutoencoderDCConfig Parse(ComponentConfig config)
    {
        config.Require("in_channels", 3);
        config.Require("downsample_block_type", "conv");
        config.Require("upsample_block_type", "interpolate");
        config.Require("encoder_out_shortcut", true);
        config.Require("decoder_in_shortcut", true);
        config.Require("decoder_conv_act_fn", "relu");
        foreach (var (key, supported) in new[] { ("decoder_norm_types", "rms_norm"), ("decoder_act_fns", "silu") })
        {
            if (config.KindOf(key) == JsonValueKind.String)
            {
                config.Require(key, supported);
            }
            else if (
                config.KindOf(key) == JsonValueKind.Array
                && config
                    .Strings(key, config.IntList("decoder_block_out_channels", 1, 16_384).Length)
                    .FirstOrDefault(value => value != supported)
                    is { } other
            )
            {
                throw config.Unsupported(key, other);
            }
        }

        var parsed = new AutoencoderDCConfig
        {
            LatentChannels = config.Int("latent_channels", 32, 1, 1024),
            ScalingFactor = config.Double("scaling_factor", 1) is > 0 and var factor
                ? factor
                : throw config.Unsupported("scaling_factor", "that is not above 0"),
            HeadDim = config.Int("attention_head_dim", 32, 1, 1024),
            Encoder = Levels(config, "encoder"),
            Decoder = Levels(config, "decoder"),
        };
        return
            parsed.Encoder.Count == parsed.Decoder.Count
            && new[] { parsed.Encoder[^1], parsed.Decoder[^1] }.All(level =>
                level.Channels % parsed.LatentChannels == 0
            )
            ? parsed
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{config.Component}: encoder and decoder must have as many levels, and their last ones a multiple of {parsed.LatentChannels} channels."
            );
    }

    /// <summary>Latents as the transformer sees them.</summary>
    public Tensor Normalize(Tensor latents) => latents * ScalingFactor;

    /// <summary>Latents as the autoencoder makes them.</summary>
    public Tensor Denormalize(Tensor latents) => latents / ScalingFactor;

    private static DcLevel[] Levels(ComponentConfig config, string half)
    {
        var channels = config.IntList($"{half}_block_out_channels", 1, 16_384);
        var layers = config.IntList($"{half}_layers_per_block", 1, 64);
        var types = config.Strings($"{half}_block_types", channels.Length);
        var scales = config.IntLists($"{half}_qkv_multiscales", channels.Length, 1, 31);
        if (layers.Length != channels.Length)
        {
            throw config.Unsupported($"{half}_layers_per_block", $"of {layers.Length} levels, of {channels.Length}");
        }

        return
        [
            .. channels.Select(
                (count, level) =>
                    new DcLevel(
                        count,
                        layers[level],
                        types[level] switch
                        {
                            "ResBlock" => false,
                            "EfficientViTBlock" => true,
                            var other => throw config.Unsupported($"{half}_block_types", other),
                        },
                        scales[level]
                    )
            ),
        ];
    }
}
