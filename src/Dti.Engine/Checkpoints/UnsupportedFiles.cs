namespace Dti.Engine.Checkpoints;

/// <summary>Single files of models that Dti does not load: names of tensors that tell what they are.</summary>
internal static class UnsupportedFiles
{
    // The first that fits is named.
    private static readonly (string Prefix, string Kind)[] _kinds =
    [
        ("conditioner.embedders.0.model.", "the SDXL refiner"),
        ("model.diffusion_model.joint_blocks.", "Stable Diffusion 3"),
        ("joint_blocks.", "Stable Diffusion 3"),
        ("model.diffusion_model.double_blocks.", "Flux"),
        ("double_blocks.", "Flux"),
        ("model.diffusion_model.down_blocks.", "Stable Cascade"),
        ("control_model.", "ControlNet"),
        ("lora_unet_", "LoRA"),
        ("down_blocks.", "a UNet alone, in the diffusers layout"),
        ("encoder.", "an autoencoder alone"),
        ("first_stage_model.", "an autoencoder alone"),
        ("text_model.", "a text encoder alone"),
        ("emb_params", "an embedding"),
        ("clip_l", "an embedding"),
        ("<", "an embedding"),
    ];

    /// <summary>The error for a file of no kind that is supported; it says what the file is, if that is known.</summary>
    public static DtiException Refused(SafetensorsFile file)
    {
        var kind = Array.Find(_kinds, kind => file.Tensors.Keys.Any(name => name.StartsWith(kind.Prefix, StringComparison.Ordinal))).Kind;
        return Refused(file, kind is null ? "its tensors are those of no model that Dti knows" : $"it is {kind}");
    }

    /// <summary>The error for a file, with a reason.</summary>
    public static DtiException Refused(SafetensorsFile file, string why) =>
        new(ErrorKind.FailedPrecondition, $"{file.Path} is not a checkpoint of Stable Diffusion 1.x, 2.x or XL: {why}.");
}
