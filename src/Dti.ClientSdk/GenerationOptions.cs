namespace Dti.ClientSdk;

/// <summary>What a generation asks for. What is null takes the default, which the accepted update shows.</summary>
public sealed record GenerationOptions
{
    /// <summary>The prompt; <c>&lt;name&gt;</c> or <c>embedding:name</c> stands for the concept of that name.</summary>
    public string Prompt { get; init; } = "";

    /// <summary>What to keep away from. Default: the empty prompt.</summary>
    public string? NegativePrompt { get; init; }

    /// <summary>Name of the model. Default: the server's default model.</summary>
    public string? Model { get; init; }

    /// <summary>Pixels, a multiple of 8, 64 to 2048. Default: the model's own.</summary>
    public int? Width { get; init; }

    /// <summary>Pixels, a multiple of 8, 64 to 2048. Default: the model's own.</summary>
    public int? Height { get; init; }

    /// <summary>Sampling steps, 1 to 1000. Default 30.</summary>
    public int? Steps { get; init; }

    /// <summary>Classifier-free guidance, 1 (off) to 100. Default 7.5.</summary>
    public double? GuidanceScale { get; init; }

    /// <summary><c>ddim</c>, <c>dpmpp_2m</c>, <c>euler_ancestral</c>, … Default: the model's own.</summary>
    public string? Scheduler { get; init; }

    /// <summary>Seed of the initial noise. Default: chosen by the server and shown.</summary>
    public ulong? Seed { get; init; }

    /// <summary>1 to 64 pictures. Default 1.</summary>
    public int? ImageCount { get; init; }

    /// <summary>
    /// How far strong guidance is brought back to the contrast of the unguided picture, 0 (off) to 1. Default 0.
    /// </summary>
    public double? GuidanceRescale { get; init; }

    /// <summary>
    /// Which layer of the text encoder is used, counted from the last, as A1111 counts: 1 to 12. Default 1.
    /// </summary>
    public int? ClipSkip { get; init; }

    /// <summary>
    /// What parentheses and <c>embedding:</c> in the prompts mean. Default <see cref="PromptSyntax.Weighted"/>.
    /// </summary>
    public PromptSyntax? PromptSyntax { get; init; }

    /// <summary>
    /// What becomes of a prompt of more than 77 tokens. Default <see cref="LongPrompts.Chunks"/>, and
    /// <see cref="LongPrompts.Cut"/> for <see cref="PromptSyntax.Plain"/> prompts.
    /// </summary>
    public LongPrompts? LongPrompts { get; init; }

    /// <summary>Default <see cref="PictureFormat.Png"/>.</summary>
    public PictureFormat? Format { get; init; }

    /// <summary>1 to 100, JPEG and WebP only. Default 90.</summary>
    public int? Quality { get; init; }

    /// <summary><c>auto</c>, <c>fp32</c>, <c>bf16</c> or <c>fp16</c>. Default <c>auto</c>.</summary>
    public string? Dtype { get; init; }

    /// <summary>
    /// Name of an autoencoder (<see cref="DtiClient.ListVaesAsync"/>) that takes the place of the model's own. Default:
    /// the model's own.
    /// </summary>
    public string? Vae { get; init; }

    /// <summary>
    /// Sampling steps between two previews of a picture (<see cref="SamplingProgress.Preview"/>), 0 (none) to <see
    /// cref="Steps"/>. Default 0.
    /// </summary>
    public int? PreviewEvery { get; init; }

    /// <summary>What the model predicts: <c>epsilon</c> or <c>v_prediction</c>. Default: what it says itself.</summary>
    public string? PredictionType { get; init; }
}
