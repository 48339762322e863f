using System.Globalization;
using Dti.Engine.Configs;

namespace Dti.Engine.Models;

/// <summary>The settings of a stack of CLIP's layers, as all towers of CLIP and SigLIP state them.</summary>
/// <param name="HiddenSize">Width d.</param>
/// <param name="IntermediateSize">Width of the feed-forward layer.</param>
/// <param name="NumHiddenLayers">Layers.</param>
/// <param name="NumAttentionHeads">Attention heads.</param>
/// <param name="Activation">Of the feed-forward layer.</param>
/// <param name="LayerNormEps">ε of the layer norms.</param>
internal sealed record TransformerConfig(
    int HiddenSize,
    int IntermediateSize,
    int NumHiddenLayers,
    int NumAttentionHeads,
    Activation Activation,
    double LayerNormEps
)
{
    /// <summary>Reads the settings of a tower.</summary>
    /// <param name="config">The JSON.</param>
    /// <param name="absent">What holds where a key is absent.</param>
    /// <exception cref="DtiException">A value is out of bounds or not supported.</exception>
    public static TransformerConfig Parse(ComponentConfig config, TransformerConfig absent)
    {
        var parsed = new TransformerConfig(
            config.Int("hidden_size", absent.HiddenSize, 1, 16_384),
            config.Int("intermediate_size", absent.IntermediateSize, 1, 65_536),
            config.Int("num_hidden_layers", absent.NumHiddenLayers, 1, 256),
            config.Int("num_attention_heads", absent.NumAttentionHeads, 1, 256),
            Activations.Parse(config, absent.Activation),
            config.Double("layer_norm_eps", absent.LayerNormEps)
        );
        return parsed.HiddenSize % parsed.NumAttentionHeads == 0
            ? parsed
            : throw config.Unsupported(
                "num_attention_heads",
                parsed.NumAttentionHeads.ToString(CultureInfo.InvariantCulture)
            );
    }
}
