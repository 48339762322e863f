using Dti.Engine.Configs;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>
/// The settings of a UNet (<c>unet/config.json</c>, diffusers' UNet2DConditionModel), per level where diffusers allows
/// a list.
/// </summary>
internal sealed record UNet2DConditionConfig
{
    public required int InChannels { get; init; }

    public required int OutChannels { get; init; }

    /// <summary>Side of the latents that the model was made for.</summary>
    public required int SampleSize { get; init; }

    /// <summary>Channels per level.</summary>
    public required int[] BlockOutChannels { get; init; }

    /// <summary>Per down level: whether it attends to the prompt.</summary>
    public required bool[] DownAttention { get; init; }

    /// <summary>Per up level, from the coarsest: whether it attends to the prompt.</summary>
    public required bool[] UpAttention { get; init; }

    public required int LayersPerBlock { get; init; }

    /// <summary>
    /// Attention heads per level. (The configs call this <c>attention_head_dim</c>, a known misnomer of diffusers.)
    /// </summary>
    public required int[] NumAttentionHeads { get; init; }

    /// <summary>Transformer blocks per level.</summary>
    public required int[] TransformerLayersPerBlock { get; init; }

    public required int CrossAttentionDim { get; init; }

    public required int NormNumGroups { get; init; }

    public required double NormEps { get; init; }

    public required bool UseLinearProjection { get; init; }

    public required bool FlipSinToCos { get; init; }

    public required double FreqShift { get; init; }

    /// <summary>
    /// Width of the sinusoids of each time id (SDXL); 0: the UNet takes neither time ids nor a pooled text.
    /// </summary>
    public int AdditionTimeEmbedDim { get; init; }

    /// <summary>Width of the pooled text and all time ids' sinusoids together.</summary>
    public int AdditionInputDim { get; init; }

    /// <summary>Reads the config.</summary>
    /// <exception cref="DtiException">A value is missing, out of bounds or not supported.</exception>
    public static UNet2DConditionConfig Parse(ComponentConfig config)
    {
        config.RequireAbsent(
            "class_embed_type",
            "num_class_embeds",
            "encoder_hid_dim",
            "encoder_hid_dim_type",
            "time_cond_proj_dim",
            "time_embedding_dim",
            "time_embedding_act_fn",
            "timestep_post_act",
            "cross_attention_norm",
            "mid_block_only_cross_attention",
            "reverse_transformer_layers_per_block"
        );
        config.Require("act_fn", "silu");
        config.Require("mid_block_type", "UNetMidBlock2DCrossAttn");
        config.Require("resnet_time_scale_shift", "default");
        config.Require("time_embedding_type", "positional");
        config.Require("conv_in_kernel", 3);
        config.Require("conv_out_kernel", 3);
        config.Require("downsample_padding", 1);
        config.Require("center_input_sample", false);
        config.Require("dual_cross_attention", false);
        config.Require("only_cross_attention", false);
        config.Require("resnet_skip_time_act", false);

        var addition = config.String("addition_embed_type", "");
        if (addition is not ("" or "text_time"))
        {
            throw config.Unsupported("addition_embed_type", addition);
        }

        var channels = config.IntList("block_out_channels", 1, 16_384);
        var levels = channels.Length;
        var heads = config.Ints("attention_head_dim", 8, levels, 1, 1024);
        return new UNet2DConditionConfig
        {
            InChannels = config.Int("in_channels", 4, 1, 64),
            OutChannels = config.Int("out_channels", 4, 1, 64),
            SampleSize = config.Int("sample_size", 64, 1, 1024),
            BlockOutChannels = channels,
            DownAttention = Attends(config, "down_block_types", levels, "CrossAttnDownBlock2D", "DownBlock2D"),
            UpAttention = Attends(config, "up_block_types", levels, "CrossAttnUpBlock2D", "UpBlock2D"),
            LayersPerBlock = config.Int("layers_per_block", 2, 1, 16),
            NumAttentionHeads =
                config.Ints("num_attention_heads", 0, levels, 1, 1024) is { } named && named[0] > 0 ? named : heads,
            TransformerLayersPerBlock = config.Ints("transformer_layers_per_block", 1, levels, 1, 64),
            CrossAttentionDim = config.Int("cross_attention_dim", 1280, 1, 16_384),
            NormNumGroups = config.Int("norm_num_groups", 32, 1, 1024),
            NormEps = config.Double("norm_eps", 1e-5),
            UseLinearProjection = config.Bool("use_linear_projection", false),
            FlipSinToCos = config.Bool("flip_sin_to_cos", true),
            FreqShift = config.Double("freq_shift", 0),
            AdditionTimeEmbedDim = addition.Length == 0 ? 0 : config.Int("addition_time_embed_dim", 256, 2, 4096),
            AdditionInputDim =
                addition.Length == 0 ? 0 : config.Int("projection_class_embeddings_input_dim", 2816, 1, 65_536),
        };
    }

    private static bool[] Attends(ComponentConfig config, string key, int levels, string with, string without) =>
        [
            .. config
                .Strings(key, levels)
                .Select(type => type == with || (type == without ? false : throw config.Unsupported(key, type))),
        ];
}
