namespace Dti.Engine.Checkpoints;

/// <summary>A module under the name that Dti uses (diffusers') and the one it has in the original layout.</summary>
/// <param name="Canonical">diffusers' name.</param>
/// <param name="Original">CompVis', Stability's or OpenCLIP's name.</param>
/// <param name="Parts">Names inside that differ; all others are the same.</param>
/// <param name="Old">Only the oldest files have it so: it is read, not written.</param>
internal sealed record LayoutRow(
    string Canonical,
    string Original,
    IReadOnlyList<(string Canonical, string Original)>? Parts = null,
    bool Old = false
)
{
    /// <summary>Whether q, k and v of its attention are one tensor in the original layout.</summary>
    public bool FusesAttention =>
        Parts?.Any(part => part.Canonical.EndsWith("in_proj_weight", StringComparison.Ordinal)) ?? false;
}

/// <summary>
/// The layout of autoencoders and text encoders in single-file checkpoints, as tables: what ComfyUI and A1111 load, and
/// diffusers' convert_from_ckpt reads. Rows are written out for the number of levels and layers of a model; names are
/// relative to the component.
/// </summary>
internal static class OriginalLayout
{
    private static readonly (string, string)[] _vaeResnet = [("conv_shortcut", "nin_shortcut")];

    private static readonly (string, string)[] _vaeAttention =
    [
        ("group_norm", "norm"),
        ("to_q", "q"),
        ("to_k", "k"),
        ("to_v", "v"),
        ("to_out.0", "proj_out"),
        ("query", "q"),
        ("key", "k"),
        ("value", "v"),
        ("proj_attn", "proj_out"), // as diffusers had them before 0.15
    ];

    private static readonly (string, string)[] _openClipLayer =
    [
        ("layer_norm1", "ln_1"),
        ("layer_norm2", "ln_2"),
        ("mlp.fc1", "mlp.c_fc"),
        ("mlp.fc2", "mlp.c_proj"),
        ("self_attn.out_proj", "attn.out_proj"),
        ("self_attn.in_proj_weight", "attn.in_proj_weight"),
        ("self_attn.in_proj_bias", "attn.in_proj_bias"),
    ];

    /// <summary>Prefix of an autoencoder's names in a checkpoint.</summary>
    public const string VaePrefix = "first_stage_model.";

    /// <summary>
    /// The autoencoder, below <c>first_stage_model.</c> Its attention projections are 1 × 1 convolutions there.
    /// </summary>
    /// <param name="levels">Blocks of either half.</param>
    /// <param name="layers">Resnets of an encoder's block; a decoder's has one more.</param>
    public static IEnumerable<LayoutRow> Vae(int levels, int layers)
    {
        yield return new("quant_conv", "quant_conv");
        yield return new("post_quant_conv", "post_quant_conv");
        foreach (
            var (half, blocks, original, depth) in new[]
            {
                ("encoder", "down_blocks", "down", layers),
                ("decoder", "up_blocks", "up", layers + 1),
            }
        )
        {
            yield return new($"{half}.conv_in", $"{half}.conv_in");
            for (var level = 0; level < levels; level++)
            {
                // the original counts both from the image's side
                var place = half == "decoder" ? levels - 1 - level : level;
                for (var layer = 0; layer < depth; layer++)
                {
                    yield return new(
                        $"{half}.{blocks}.{level}.resnets.{layer}",
                        $"{half}.{original}.{place}.block.{layer}",
                        _vaeResnet
                    );
                }

                yield return new(
                    $"{half}.{blocks}.{level}.{original}samplers.0.conv",
                    $"{half}.{original}.{place}.{original}sample.conv"
                );
            }

            yield return new($"{half}.mid_block.resnets.0", $"{half}.mid.block_1", _vaeResnet);
            yield return new($"{half}.mid_block.attentions.0", $"{half}.mid.attn_1", _vaeAttention);
            yield return new($"{half}.mid_block.resnets.1", $"{half}.mid.block_2", _vaeResnet);
            yield return new($"{half}.conv_norm_out", $"{half}.norm_out");
            yield return new($"{half}.conv_out", $"{half}.conv_out");
        }
    }

    /// <summary>
    /// OpenAI's text encoder, below <c>cond_stage_model.transformer.</c> or
    /// <c>conditioner.embedders.0.transformer.</c>: as it is, but for the oldest files.
    /// </summary>
    public static IEnumerable<LayoutRow> Clip { get; } =
    [
        new("text_model", "text_model"),
        new("text_model.embeddings", "embeddings", Old: true),
        new("text_model.encoder", "encoder", Old: true),
        new("text_model.final_layer_norm", "final_layer_norm", Old: true),
    ];

    /// <summary>
    /// OpenCLIP's text encoder, below <c>cond_stage_model.model.</c> or <c>conditioner.embedders.1.model.</c> Its q, k
    /// and v are one tensor there.
    /// </summary>
    /// <param name="layers">Transformer layers; those beyond are not used.</param>
    /// <param name="projection">Whether the pooled output is projected.</param>
    public static IEnumerable<LayoutRow> OpenClip(int layers, bool projection)
    {
        yield return new("text_model.embeddings.token_embedding", "token_embedding");
        yield return new("text_model.embeddings.position_embedding.weight", "positional_embedding");
        for (var layer = 0; layer < layers; layer++)
        {
            yield return new($"text_model.encoder.layers.{layer}", $"transformer.resblocks.{layer}", _openClipLayer);
        }

        yield return new("text_model.final_layer_norm", "ln_final");
        if (projection)
        {
            yield return new("text_projection.weight", "text_projection");
        }
    }
}
