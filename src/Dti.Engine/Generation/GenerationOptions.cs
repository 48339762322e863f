namespace Dti.Engine.Generation;

/// <summary>
/// What a caller asks of a generation; null takes the default. Ranges and defaults: <see cref="GenerationSettings"/>.
/// </summary>
public sealed record GenerationOptions
{
    /// <inheritdoc cref="GenerationSettings.Prompt"/>
    public string Prompt { get; init; } = "";

    /// <inheritdoc cref="GenerationSettings.NegativePrompt"/>
    public string? NegativePrompt { get; init; }

    /// <inheritdoc cref="GenerationSettings.Width"/>
    public int? Width { get; init; }

    /// <inheritdoc cref="GenerationSettings.Height"/>
    public int? Height { get; init; }

    /// <inheritdoc cref="GenerationSettings.Steps"/>
    public int? Steps { get; init; }

    /// <inheritdoc cref="GenerationSettings.GuidanceScale"/>
    public double? GuidanceScale { get; init; }

    /// <inheritdoc cref="GenerationSettings.Scheduler"/>
    public string? Scheduler { get; init; }

    /// <inheritdoc cref="GenerationSettings.Seed"/>
    public ulong? Seed { get; init; }

    /// <inheritdoc cref="GenerationSettings.ImageCount"/>
    public int? ImageCount { get; init; }

    /// <inheritdoc cref="GenerationSettings.GuidanceRescale"/>
    public double? GuidanceRescale { get; init; }

    /// <inheritdoc cref="GenerationSettings.ClipSkip"/>
    public int? ClipSkip { get; init; }

    /// <inheritdoc cref="GenerationSettings.PromptSyntax"/>
    public PromptSyntax? PromptSyntax { get; init; }

    /// <inheritdoc cref="GenerationSettings.LongPrompts"/>
    public LongPrompts? LongPrompts { get; init; }

    /// <inheritdoc cref="GenerationSettings.PreviewEvery"/>
    public int? PreviewEvery { get; init; }

    /// <summary><c>epsilon</c> or <c>v_prediction</c>. Default: what the model says.</summary>
    public string? PredictionType { get; init; }
}
