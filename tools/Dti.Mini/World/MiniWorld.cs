using Dti.Engine.Checkpoints;

namespace Dti.Mini.World;

/// <summary>The datasets that all stages share.</summary>
internal static class MiniWorld
{
    /// <summary>Seed of the scenes to learn from.</summary>
    public const ulong TrainSeed = Designs.Design.TrainScenes;

    /// <summary>Seed of the scenes that nothing learns from.</summary>
    public const ulong HeldOutSeed = Designs.Design.HeldOutScenes;

    /// <summary>Seed of scenes without designs that nothing learns from.</summary>
    public const ulong PlainHeldOutSeed = 1_000;

    /// <summary>Scenes to learn from.</summary>
    public const int Pictures = 32_000;

    /// <summary>Where the model is put together; <c>DTI_MINI_MODEL</c> overrides it.</summary>
    public static string ModelFolder { get; } =
        Environment.GetEnvironmentVariable("DTI_MINI_MODEL") ?? "models/dti-mini";

    /// <summary>The judge's weights; <c>DTI_MINI_JUDGE</c> overrides the folder.</summary>
    public static string JudgeFile { get; } =
        Path.Combine(
            Environment.GetEnvironmentVariable("DTI_MINI_JUDGE") ?? "models/dti-mini-judge",
            "model.safetensors"
        );

    /// <summary>The weights of the part of the judge that reads designs.</summary>
    public static string DesignJudgeFile { get; } =
        Path.Combine(Path.GetDirectoryName(JudgeFile)!, "designs.safetensors");

    /// <summary>The weights of the judge of the world without designs.</summary>
    public static string PlainJudgeFile { get; } = Path.Combine(Path.GetDirectoryName(JudgeFile)!, "plain.safetensors");

    /// <summary>
    /// The network that embeds new designs in later stages and in studies, which is not part of the model;
    /// <c>DTI_MINI_EMBEDDER</c> overrides it.
    /// </summary>
    public static string EmbedderFile { get; } =
        Environment.GetEnvironmentVariable("DTI_MINI_EMBEDDER") ?? "tools/Dti.Mini/designs.safetensors";

    /// <summary>Curves and results, for the page about the model.</summary>
    public const string MeasuredFolder = "docs/dti-mini";

    /// <summary>Sheets and graphs, for that page.</summary>
    public const string ImageFolder = "docs/images";

    /// <summary>The weights of one of the model's components.</summary>
    public static string WeightsOf(string component) =>
        Path.Combine(
            ModelFolder,
            component,
            Checkpoint.WeightsFileOf(component is "unet" or "vae" ? ComponentRole.Denoiser : ComponentRole.TextEncoder)
        );

    /// <summary>The model's tokenizer.</summary>
    public static string TokenizerFolder => Path.Combine(ModelFolder, "tokenizer");
}
