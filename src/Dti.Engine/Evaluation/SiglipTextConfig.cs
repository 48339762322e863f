using Dti.Engine.Configs;
using Dti.Engine.Models;

namespace Dti.Engine.Evaluation;

/// <summary>The settings of SigLIP's text tower (<c>text_config</c>, transformers' SiglipTextConfig).</summary>
/// <param name="Transformer">Of its layers.</param>
/// <param name="VocabSize">Rows of the token embedding.</param>
/// <param name="MaxPositionEmbeddings">Ids that it reads, always all of them.</param>
/// <param name="ProjectionSize">Width of the output.</param>
internal sealed record SiglipTextConfig(
    TransformerConfig Transformer,
    int VocabSize,
    int MaxPositionEmbeddings,
    int ProjectionSize
)
{
    /// <summary>Reads the settings.</summary>
    /// <exception cref="DtiException">A value is out of bounds or not supported.</exception>
    public static SiglipTextConfig Parse(ComponentConfig config)
    {
        var transformer = TransformerConfig.Parse(
            config,
            new TransformerConfig(768, 3072, 12, 12, Activation.GeluTanh, 1e-6)
        );
        return new SiglipTextConfig(
            transformer,
            config.Int("vocab_size", 32_000, 1, 1_000_000),
            config.Int("max_position_embeddings", 64, 2, 4096),
            config.Int("projection_size", transformer.HiddenSize, 1, 16_384)
        );
    }
}
