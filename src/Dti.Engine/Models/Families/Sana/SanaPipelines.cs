using Dti.Engine.Checkpoints;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>The model folders of SANA 1.0 and 1.5.</summary>
internal static class SanaPipelines
{
    /// <summary>Text to image.</summary>
    public static PipelineLayout Plain { get; } =
        new(
            "SanaPipeline",
            GemmaTokenizer.Load,
            new PipelineComponent("text_encoder", "Gemma2Model", ComponentRole.TextEncoder),
            new PipelineComponent("tokenizer", "GemmaTokenizer", ComponentRole.Tokenizer),
            new PipelineComponent("transformer", "SanaTransformer2DModel", ComponentRole.Denoiser),
            new PipelineComponent("vae", "AutoencoderDC", ComponentRole.Autoencoder)
        );
}
