namespace Dti.ClientSdk;

/// <summary>What a generation uses: <see cref="GenerationOptions"/> with every default filled in.</summary>
public sealed record GenerationSettings
{
    /// <summary>The prompt.</summary>
    public string Prompt { get; init; } = "";

    /// <summary>What is kept away from.</summary>
    public string NegativePrompt { get; init; } = "";

    /// <summary>Name of the model.</summary>
    public string Model { get; init; } = "";

    /// <summary>Pixels.</summary>
    public int Width { get; init; }

    /// <summary>Pixels.</summary>
    public int Height { get; init; }

    /// <summary>Sampling steps.</summary>
    public int Steps { get; init; }

    /// <summary>Classifier-free guidance; 1: off.</summary>
    public double GuidanceScale { get; init; }

    /// <summary>Name of the scheduler.</summary>
    public string Scheduler { get; init; } = "";

    /// <summary>Seed of the initial noise.</summary>
    public ulong Seed { get; init; }

    /// <summary>Number of pictures.</summary>
    public int ImageCount { get; init; }

    /// <summary>How far strong guidance is brought back, 0 to 1.</summary>
    public double GuidanceRescale { get; init; }

    /// <summary>Which layer of the text encoder is used, counted from the last: 1 is the last.</summary>
    public int ClipSkip { get; init; }

    /// <summary>What parentheses in the prompts mean.</summary>
    public PromptSyntax PromptSyntax { get; init; }

    /// <summary>What becomes of a prompt of more than 77 tokens.</summary>
    public LongPrompts LongPrompts { get; init; }

    /// <summary>Encoding of the pictures.</summary>
    public PictureFormat Format { get; init; }

    /// <summary>1 to 100, JPEG and WebP only.</summary>
    public int Quality { get; init; }

    /// <summary><c>fp32</c>, <c>bf16</c> or <c>fp16</c>.</summary>
    public string Dtype { get; init; } = "";

    /// <summary><c>cpu</c>, <c>cuda:0</c>, …</summary>
    public string Device { get; init; } = "";

    /// <summary>The concepts whose names were found in the prompt.</summary>
    public IReadOnlyList<string> Concepts { get; init; } = [];

    /// <summary>Name of the autoencoder; empty: the model's own.</summary>
    public string Vae { get; init; } = "";

    /// <summary>Sampling steps between two previews of a picture; 0: none.</summary>
    public int PreviewEvery { get; init; }

    /// <summary>What the model predicts: <c>epsilon</c> or <c>v_prediction</c>.</summary>
    public string PredictionType { get; init; } = "";
}
