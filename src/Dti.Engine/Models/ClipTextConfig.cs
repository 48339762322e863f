using System.Text.Json;
using Dti.Engine.Configs;

namespace Dti.Engine.Models;

/// <summary>
/// The settings of a CLIP text encoder (<c>text_encoder/config.json</c>, transformers' CLIPTextConfig).
/// </summary>
internal sealed record ClipTextConfig
{
    /// <summary>Rows of the token embedding.</summary>
    public required int VocabSize { get; init; }

    /// <summary>Width d.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>Width of the feed-forward layer.</summary>
    public required int IntermediateSize { get; init; }

    /// <summary>Transformer layers.</summary>
    public required int NumHiddenLayers { get; init; }

    /// <summary>Attention heads.</summary>
    public required int NumAttentionHeads { get; init; }

    /// <summary>Positions.</summary>
    public required int MaxPositionEmbeddings { get; init; }

    /// <summary>True: x·σ(1.702 x), OpenAI's; false: exact GELU, OpenCLIP's.</summary>
    public required bool QuickGelu { get; init; }

    /// <summary>ε of the layer norms.</summary>
    public required double LayerNormEps { get; init; }

    /// <summary>
    /// The id at whose first position the pooled output is taken; 2 means "at the largest id" (transformers' legacy
    /// rule).
    /// </summary>
    public required int EosTokenId { get; init; }

    /// <summary>
    /// Width p of the projected output (transformers' CLIPTextModelWithProjection); 0: there is no projection.
    /// </summary>
    public int ProjectionDim { get; init; }

    /// <summary>Where its embeddings are.</summary>
    public TokenEmbeddings Embeddings =>
        new(
            VocabSize,
            HiddenSize,
            "text_model.embeddings.token_embedding.weight",
            "text_model.embeddings.position_embedding.weight",
            MaxPositionEmbeddings
        );

    /// <summary>Of its layers.</summary>
    public TransformerConfig Transformer =>
        new(
            HiddenSize,
            IntermediateSize,
            NumHiddenLayers,
            NumAttentionHeads,
            QuickGelu ? Activation.QuickGelu : Activation.Gelu,
            LayerNormEps
        );

    /// <summary>Reads the config.</summary>
    /// <param name="config">The JSON.</param>
    /// <param name="projection">Whether the model projects its pooled output; the config states a width either
    /// way.</param>
    /// <exception cref="DtiException">A value is missing, out of bounds or not supported.</exception>
    public static ClipTextConfig Parse(ComponentConfig config, bool projection = false)
    {
        var activation = config.String("hidden_act", "quick_gelu");
        var parsed = new ClipTextConfig
        {
            VocabSize = config.Int("vocab_size", 49408, 1, 1_000_000),
            HiddenSize = config.Int("hidden_size", 512, 1, 16_384),
            IntermediateSize = config.Int("intermediate_size", 2048, 1, 65_536),
            NumHiddenLayers = config.Int("num_hidden_layers", 12, 1, 256),
            NumAttentionHeads = config.Int("num_attention_heads", 8, 1, 256),
            MaxPositionEmbeddings = config.Int("max_position_embeddings", 77, 1, 4096),
            QuickGelu = activation switch
            {
                "quick_gelu" => true,
                "gelu" => false,
                _ => throw config.Unsupported("hidden_act", activation),
            },
            LayerNormEps = config.Double("layer_norm_eps", 1e-5),
            EosTokenId = config.Int("eos_token_id", 49407, 0, 1_000_000),
            ProjectionDim = projection ? config.Int("projection_dim", 512, 1, 16_384) : 0,
        };
        return parsed.HiddenSize % parsed.NumAttentionHeads == 0
            ? parsed
            : throw config.Unsupported("num_attention_heads", JsonSerializer.Serialize(parsed.NumAttentionHeads));
    }
}
