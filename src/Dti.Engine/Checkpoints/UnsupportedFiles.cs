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
        ("first_stage_model.", "an autoencoder alone"),
    ];

    private static readonly (string Prefix, string Kind)[] _embeddings =
    [
        ("emb_params", "an embedding"),
        ("clip_l", "an embedding"),
        ("<", "an embedding"),
    ];

    /// <summary>
    /// The error for a file of no kind that is supported; it says what the file is, if that is known.
    /// </summary>
    public static DtiException Refused(SafetensorsFile file)
    {
        var kind = KindIn(_kinds) ?? TensorKinds.Of([.. file.Tensors.Keys]) ?? KindIn(_embeddings);
        kind = kind == TensorKinds.Model ? "a checkpoint of another model, or a part of one" : kind;
        return Refused(file, kind is null ? "its tensors are those of no model that Dti knows" : $"it is {kind}");

        string? KindIn((string Prefix, string Kind)[] kinds) =>
            Array
                .Find(kinds, kind =>
                    file.Tensors.Keys.Any(name => name.StartsWith(kind.Prefix, StringComparison.Ordinal))
                )
                .Kind;
    }

    /// <summary>The error for a file, with a reason.</summary>
    public static DtiException Refused(SafetensorsFile file, string why) =>
        new(
            ErrorKind.FailedPrecondition,
            $"{file.Path} is not a checkpoint of Stable Diffusion 1.x, 2.x or XL: {why}."
        );
}
