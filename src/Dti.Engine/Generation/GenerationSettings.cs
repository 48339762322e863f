using Dti.Engine.Models;
using Dti.Engine.Schedulers;
using Dti.Settings;

namespace Dti.Engine.Generation;

/// <summary>
/// What a generation uses: every default filled in, every value within its range. It repeats the images.
/// </summary>
[DeclaredSettings(
    Except = "model vae dtype device format quality omit_metadata concepts",
    Accessor = "private init",
    Checks = true
)]
public sealed partial record GenerationSettings
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

    /// <summary>
    /// A sampler that suits the model's noise process, for Stable Diffusion one of <see
    /// cref="SchedulerFactory.Names"/>. Default: the model's own.
    /// </summary>
    public string Scheduler { get; private init; } = "";

    /// <summary>What the model predicts. Default: what it says itself.</summary>
    public PredictionType PredictionType { get; private init; }

    /// <summary>Fills in defaults and checks every value.</summary>
    /// <param name="options">What was asked.</param>
    /// <param name="profile">The model.</param>
    /// <param name="newSeed">Chooses a seed where none was given; null: one must be.</param>
    /// <exception cref="ValidationException">Names every wrong field: <c>width</c>, <c>steps</c>, ….</exception>
    public static GenerationSettings Resolve(
        GenerationOptions options,
        ModelProfile profile,
        Func<ulong>? newSeed = null
    )
    {
        var found = new Violations();
        var settings = Resolve(options, profile, newSeed, found);
        found.ThrowIfAny();
        return settings;
    }

    internal static GenerationSettings Resolve(
        GenerationOptions options,
        ModelProfile profile,
        Func<ulong>? newSeed,
        Violations found
    )
    {
        var settings = WithDefaults(options) with
        {
            Prompt = options.Prompt,
            NegativePrompt = options.NegativePrompt,
            Width = options.Width ?? profile.Resolution,
            Height = options.Height ?? profile.Resolution,
            Scheduler = found.Try("scheduler", () => SchedulerFactory.Resolve(options.Scheduler, profile.Noise)) ?? "",
            Seed = options.Seed
                ?? newSeed?.Invoke()
                ?? throw new ArgumentException("There is no seed.", nameof(options)),
            LongPrompts = options.LongPrompts
                ?? (options.PromptSyntax == PromptSyntax.Plain ? LongPrompts.Cut : LongPrompts.Chunks),
            PredictionType = found.Try("prediction_type", () =>
                PredictionTypes.Resolve(options.PredictionType, profile.Noise)
            ),
        };

        PromptLength("prompt", settings.Prompt);
        PromptLength("negative_prompt", settings.NegativePrompt ?? "");
        settings.CheckRanges(options, found);
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

        if (!settings.ResolutionBinning)
        {
            profile.Latents.CheckSide("width", settings.Width, found);
            profile.Latents.CheckSide("height", settings.Height, found);
        }

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
