namespace Dti.Engine.Concepts;

/// <summary>What a tensor of an embedding file is for.</summary>
internal enum EmbeddingKeyUse
{
    /// <summary>The vectors of a model with one text encoder.</summary>
    Only,

    /// <summary>The vectors of the first text encoder.</summary>
    First,

    /// <summary>The vectors of the second text encoder.</summary>
    Second,

    /// <summary>A tensor that changes nothing of the vectors; it is passed over and named.</summary>
    Ignored,

    /// <summary>A tensor that shows that the file cannot be read as it is.</summary>
    Refused,
}

/// <summary>A tensor name of an embedding file.</summary>
/// <param name="Key">The name: <c>emb_params</c>.</param>
/// <param name="Use">What the tensor is for.</param>
/// <param name="Tools">The tools that write it.</param>
/// <param name="Note">
/// A noun phrase that says what an ignored tensor is, or a clause that says why the file is refused.
/// </param>
internal sealed record EmbeddingFileKey(string Key, EmbeddingKeyUse Use, string Tools, string Note = "");

/// <summary>The tensor names of embedding files, tool by tool. <c>docs/formats.md</c> shows the same table.</summary>
internal static class EmbeddingKeys
{
    /// <summary>
    /// What the name of a bundled embedding begins with in a LoRA file of kohya's scripts or OneTrainer:
    /// <c>bundle_emb.NAME.emb_params</c>.
    /// </summary>
    public const string BundlePrefix = "bundle_emb.";

    private const string OutputNote = "an embedding that OneTrainer adds to the text encoder's output";
    private const string OtherModelNote =
        "it holds vectors for a text encoder that only other models have (Stable Diffusion 3, Flux)";
    private const string PickleNote =
        "it is an A1111 .pt file that was converted key by key; store string_to_param.* alone as emb_params";
    private const string AllTools = "A1111, ComfyUI, kohya's scripts, OneTrainer, diffusers' pivotal tuning, Dti";

    /// <summary>
    /// All of them. A file of one tensor may give it any other name, which is its placeholder (diffusers, InvokeAI).
    /// </summary>
    public static IReadOnlyList<EmbeddingFileKey> All { get; } =
    [
        new("emb_params", EmbeddingKeyUse.Only, "A1111, ComfyUI, kohya's scripts, OneTrainer, InvokeAI, Dti"),
        new("clip_l", EmbeddingKeyUse.First, AllTools),
        new("clip_g", EmbeddingKeyUse.Second, AllTools),
        new("clip_h", EmbeddingKeyUse.Only, "ComfyUI, for Stable Diffusion 2.x"),
        new("text_encoders_0", EmbeddingKeyUse.First, "pivotal tuning (cog-sdxl, older diffusers)"),
        new("text_encoders_1", EmbeddingKeyUse.Second, "pivotal tuning (cog-sdxl, older diffusers)"),
        new("emp_params_out", EmbeddingKeyUse.Ignored, "OneTrainer, whose spelling it is", OutputNote),
        new("emb_params_out", EmbeddingKeyUse.Ignored, "OneTrainer", OutputNote),
        new("clip_l_out", EmbeddingKeyUse.Ignored, "OneTrainer", OutputNote),
        new("clip_g_out", EmbeddingKeyUse.Ignored, "OneTrainer", OutputNote),
        new("string_to_param.*", EmbeddingKeyUse.Refused, "A1111's .pt, converted", PickleNote),
        new("string_to_token.*", EmbeddingKeyUse.Refused, "A1111's .pt, converted", PickleNote),
        new("t5", EmbeddingKeyUse.Refused, "OneTrainer, diffusers", OtherModelNote),
        new("t5_out", EmbeddingKeyUse.Refused, "OneTrainer", OtherModelNote),
        new("t5xxl", EmbeddingKeyUse.Refused, "ComfyUI", OtherModelNote),
    ];

    /// <summary>What follows the name of a bundled embedding, with its dot; longest first.</summary>
    public static IReadOnlyList<EmbeddingFileKey> BundleSuffixes { get; } =
    [
        .. All.Where(key => key.Use != EmbeddingKeyUse.Refused)
            .Append(new EmbeddingFileKey("string_to_param.*", EmbeddingKeyUse.Only, "kohya's scripts, ComfyUI"))
            .Select(key => key with { Key = "." + key.Key })
            .OrderByDescending(key => key.Key.Length),
    ];

    /// <summary>The row of a tensor name; null: no tool's.</summary>
    public static EmbeddingFileKey? Find(string name) => All.FirstOrDefault(key => key.Key == name);
}
