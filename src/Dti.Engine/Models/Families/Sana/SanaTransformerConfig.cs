using Dti.Engine.Configs;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>
/// The settings of SANA's transformer (<c>transformer/config.json</c>, diffusers' SanaTransformer2DModel).
/// </summary>
internal sealed record SanaTransformerConfig
{
    /// <summary>Channels of latents.</summary>
    public required int Channels { get; init; }

    /// <summary>Heads of linear attention.</summary>
    public required int NumAttentionHeads { get; init; }

    /// <summary>Width of such a head.</summary>
    public required int AttentionHeadDim { get; init; }

    /// <summary>Heads of attention to the prompt.</summary>
    public required int NumCrossAttentionHeads { get; init; }

    /// <summary>Width of such a head.</summary>
    public required int CrossAttentionHeadDim { get; init; }

    /// <summary>Width of the text encoder's states.</summary>
    public required int CaptionChannels { get; init; }

    /// <summary>Blocks.</summary>
    public required int NumLayers { get; init; }

    /// <summary>Width of a block's convolutions, in widths of the model.</summary>
    public required double MlpRatio { get; init; }

    /// <summary>Side of latents that the model was made for.</summary>
    public required int SampleSize { get; init; }

    /// <summary>Latents along each side of a patch.</summary>
    public required int PatchSize { get; init; }

    /// <summary>ε of the layer norms.</summary>
    public required double NormEps { get; init; }

    /// <summary>Whether queries, keys and values of linear attention have a bias.</summary>
    public required bool AttentionBias { get; init; }

    /// <summary>Whether queries and keys are normalised over all heads (SANA 1.5).</summary>
    public required bool NormalizesQueries { get; init; }

    /// <summary>What times are multiplied by.</summary>
    public required double TimestepScale { get; init; }

    /// <summary>D.</summary>
    public int Width => NumAttentionHeads * AttentionHeadDim;

    /// <summary>Width of a block's convolutions.</summary>
    public int MlpWidth => (int)(MlpRatio * Width);

    /// <summary>Reads the config.</summary>
    /// <exception cref="DtiException">A value is missing, out of bounds or not supported.</exception>
    public static SanaTransformerConfig Parse(ComponentConfig config)
    {
        config.Require("guidance_embeds", false); // Sprint
        config.RequireAbsent("interpolation_scale"); // positions of the 4K model
        config.Require("norm_elementwise_affine", false);
        config.RequireOneOf("qk_norm", ["null", "\"rms_norm_across_heads\""]);
        var channels = config.Int("in_channels", 32, 1, 1024);
        var parsed = new SanaTransformerConfig
        {
            Channels = channels,
            NumAttentionHeads = config.Int("num_attention_heads", 70, 1, 1024),
            AttentionHeadDim = config.Int("attention_head_dim", 32, 1, 1024),
            NumCrossAttentionHeads = config.Int("num_cross_attention_heads", 20, 1, 1024),
            CrossAttentionHeadDim = config.Int("cross_attention_head_dim", 112, 1, 1024),
            CaptionChannels = config.Int("caption_channels", 2304, 1, 65_536),
            NumLayers = config.Int("num_layers", 20, 1, 1024),
            MlpRatio = config.Double("mlp_ratio", 2.5) is > 0 and <= 16 and var ratio
                ? ratio
                : throw config.Unsupported("mlp_ratio", "out of range"),
            SampleSize = config.Int("sample_size", 32, 1, 1024),
            PatchSize = config.Int("patch_size", 1, 1, 16),
            NormEps = config.Double("norm_eps", 1e-6),
            AttentionBias = config.Bool("attention_bias", false),
            NormalizesQueries = config.String("qk_norm", "").Length > 0,
            TimestepScale = config.Double("timestep_scale", 1),
        };
        config.Require("out_channels", channels);
        config.Require("cross_attention_dim", parsed.Width);
        return parsed.NumCrossAttentionHeads * parsed.CrossAttentionHeadDim == parsed.Width
            ? parsed
            : throw config.Unsupported(
                "cross_attention_head_dim",
                $"{parsed.CrossAttentionHeadDim} with {parsed.NumCrossAttentionHeads} heads in a width of {parsed.Width}"
            );
    }
}
