using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>The model folders of Stable Diffusion.</summary>
internal static class StableDiffusionPipelines
{
    /// <summary>1.x and 2.x.</summary>
    public static PipelineLayout Plain { get; } =
        new(
            "StableDiffusionPipeline",
            ClipTokenizer.Load,
            new PipelineComponent("text_encoder", "CLIPTextModel", ComponentRole.TextEncoder),
            new PipelineComponent("tokenizer", "CLIPTokenizer", ComponentRole.Tokenizer),
            new PipelineComponent("unet", "UNet2DConditionModel", ComponentRole.Denoiser),
            new PipelineComponent("vae", "AutoencoderKL", ComponentRole.Autoencoder)
        )
        {
            AutoencoderConfig = () => PublishedAutoencoder("sd1"),
        };

    /// <summary>XL.</summary>
    public static PipelineLayout XL { get; } =
        new(
            "StableDiffusionXLPipeline",
            ClipTokenizer.Load,
            new PipelineComponent("text_encoder", "CLIPTextModel", ComponentRole.TextEncoder),
            new PipelineComponent("text_encoder_2", "CLIPTextModelWithProjection", ComponentRole.TextEncoder),
            new PipelineComponent("tokenizer", "CLIPTokenizer", ComponentRole.Tokenizer),
            new PipelineComponent("tokenizer_2", "CLIPTokenizer", ComponentRole.Tokenizer),
            new PipelineComponent("unet", "UNet2DConditionModel", ComponentRole.Denoiser),
            new PipelineComponent("vae", "AutoencoderKL", ComponentRole.Autoencoder)
        )
        {
            AutoencoderConfig = () => PublishedAutoencoder("sdxl"),
        };

    /// <summary>
    /// Whether zeros stand for a negative prompt that is not given, instead of the empty text: XL, unless its folder
    /// says otherwise.
    /// </summary>
    public static bool ForcesZeros(Checkpoint checkpoint) =>
        checkpoint.Layout == XL
        && checkpoint is ModelFolder
        && checkpoint.Setting("force_zeros_for_empty_prompt") != "False";

    private static JsonElement PublishedAutoencoder(string family) =>
        OriginalFamily.Named(family).Configs().GetProperty("vae");
}
