using Dti.Engine.Models;
using Dti.Engine.Schedulers;

namespace Dti.Engine.Generation;

/// <summary>
/// What a generation uses: every default filled in, every value within its range. It repeats the pictures.
/// </summary>
public sealed record GenerationSettings
{
    /// <summary>Longest prompt that is read at all, in characters.</summary>
    public const int MaxPromptLength = 10_000;

    private GenerationSettings() { }

    /// <summary>The prompt; placeholders stand for concepts.</summary>
    public string Prompt { get; internal init; } = "";

    /// <summary>
    /// What to keep away from. Null: nothing is said of it, which is the empty prompt, or for SDXL zeros.
    /// </summary>
    public string? NegativePrompt { get; private init; }

    /// <summary>Pixels: a multiple of 8, 64 to 2048. Default: the model's own.</summary>
    public int Width { get; private init; }

    /// <inheritdoc cref="Width"/>
    public int Height { get; private init; }

    /// <summary>Sampling steps, 1 to 1000. Default 30.</summary>
    public int Steps { get; private init; }

    /// <summary>Classifier-free guidance, 1 to 100; 1 switches it off. Default 7.5.</summary>
    public double GuidanceScale { get; private init; }

    /// <summary>
    /// A sampler that suits the model's noise process, for Stable Diffusion one of <see
    /// cref="SchedulerFactory.Names"/>. Default: the model's own.
    /// </summary>
    public string Scheduler { get; private init; } = "";

    /// <summary>Seed of the initial noise: as diffusers', on the CPU. Default: a new one.</summary>
    public ulong Seed { get; private init; }

    /// <summary>Pictures, 1 to 64. Default 1.</summary>
    public int ImageCount { get; private init; }

    /// <summary>
    /// φ of arXiv 2305.08891, equation 16: how far strong guidance is brought back to the contrast of the unguided
    /// prediction, 0 to 1. Default 0.
    /// </summary>
    public double GuidanceRescale { get; private init; }

    /// <summary>
    /// Which layer of the text encoder is used, from the last, as A1111 counts: 1 to 12. Not for SDXL, which always
    /// takes its own. Default 1, the last.
    /// </summary>
    public int ClipSkip { get; private init; }

    /// <summary>What parentheses in the prompts mean. Default: weights, as in ComfyUI.</summary>
    public PromptSyntax PromptSyntax { get; private init; }

    /// <summary>
    /// What becomes of a prompt of more than 77 tokens. Default: chunks of 75 for <see cref="PromptSyntax.Weighted"/>
    /// prompts, cut for <see cref="PromptSyntax.Plain"/> ones. Beyond 16 chunks a prompt is cut, with a warning.
    /// </summary>
    public LongPrompts LongPrompts { get; private init; }

    /// <summary>
    /// Sampling steps between two previews of a picture, 0 (none) to <see cref="Steps"/>; they change nothing of it.
    /// Default 0.
    /// </summary>
    public int PreviewEvery { get; private init; }

    /// <summary>What the model predicts. Default: what it says itself.</summary>
    public PredictionType PredictionType { get; private init; }

    /// <summary>Fills in defaults and checks every value.</summary>
    /// <param name="options">What was asked.</param>
    /// <param name="profile">The model.</param>
    /// <param name="newSeed">Chooses a seed where none was given.</param>
    /// <exception cref="ValidationException">Names every wrong field: <c>width</c>, <c>steps</c>, ….</exception>
    public static GenerationSettings Resolve(GenerationOptions options, ModelProfile profile, Func<ulong> newSeed)
    {
        var found = new Violations();
        var settings = Resolve(options, profile, newSeed, found);
        found.ThrowIfAny();
        return settings;
    }

    internal static GenerationSettings Resolve(
        GenerationOptions options,
        ModelProfile profile,
        Func<ulong> newSeed,
        Violations found
    )
    {
        var settings = new GenerationSettings
        {
            Prompt = options.Prompt,
            NegativePrompt = options.NegativePrompt,
            Width = options.Width ?? profile.Resolution,
            Height = options.Height ?? profile.Resolution,
            Steps = options.Steps ?? 30,
            GuidanceScale = options.GuidanceScale ?? 7.5,
            Scheduler = found.Try("scheduler", () => SchedulerFactory.Resolve(options.Scheduler, profile.Noise)) ?? "",
            Seed = options.Seed ?? newSeed(),
            ImageCount = options.ImageCount ?? 1,
            PromptSyntax = options.PromptSyntax ?? PromptSyntax.Weighted,
            LongPrompts = options.LongPrompts
                ?? (options.PromptSyntax == PromptSyntax.Plain ? LongPrompts.Cut : LongPrompts.Chunks),
            GuidanceRescale = options.GuidanceRescale ?? 0,
            ClipSkip = options.ClipSkip ?? 1,
            PreviewEvery = options.PreviewEvery ?? 0,
            PredictionType = found.Try("prediction_type", () =>
                PredictionTypes.Resolve(options.PredictionType, profile.Noise)
            ),
        };

        PromptLength("prompt", settings.Prompt);
        PromptLength("negative_prompt", settings.NegativePrompt ?? "");
        found.Side("width", settings.Width);
        found.Side("height", settings.Height);
        found.Range("steps", settings.Steps, 1, 1000);
        if (settings.GuidanceScale == 0)
        {
            found.Add(
                "guidance_scale",
                "guidance_scale is 0; it must be from 1 to 100, and 1 is no guidance, as turbo models are used."
            );
        }
        else
        {
            found.Range("guidance_scale", settings.GuidanceScale, 1, 100);
        }

        found.Range("guidance_rescale", settings.GuidanceRescale, 0, 1);
        if (profile.MaxClipSkip > 1)
        {
            found.Range("clip_skip", settings.ClipSkip, 1, profile.MaxClipSkip);
        }
        else if (settings.ClipSkip != 1)
        {
            found.Add(
                "clip_skip",
                $"clip_skip is {settings.ClipSkip}; {profile.Name} always takes the same layer of its text encoders, so leave it out."
            );
        }

        found.Range("num_images", settings.ImageCount, 1, 64);
        found.Range("preview_every", settings.PreviewEvery, 0, Math.Clamp(settings.Steps, 1, 1000));
        if (settings.Steps is >= 1 and <= 1000 && settings.Scheduler.Length > 0)
        {
            found.Try("steps", CanBeSampled); // a scheduler may know fewer
        }

        return settings;

        bool CanBeSampled()
        {
            using var scheduler = profile.CreateSampler(
                settings.Scheduler,
                settings.Steps,
                settings.PredictionType,
                settings.Width,
                settings.Height
            );
            return true;
        }

        void PromptLength(string field, string prompt)
        {
            if (prompt.Length > MaxPromptLength)
            {
                found.Add(field, $"{field} has {prompt.Length} characters; at most {MaxPromptLength} are read.");
            }
        }
    }
}
