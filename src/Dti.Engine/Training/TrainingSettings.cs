using System.Text.Json.Serialization;
using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using Dti.Engine.Training.Methods;

namespace Dti.Engine.Training;

/// <summary>
/// What a training run uses: every default filled in, every value within its range. With the photos, it repeats the
/// run.
/// </summary>
public sealed record TrainingSettings
{
    private const int MaxTemplates = 1000;

    private TrainingSettings() { }

    /// <summary>Chooses the prompt templates. Default: object.</summary>
    public ConceptKind Kind { get; private init; }

    /// <summary>What is learnt, and how. Default: directional.</summary>
    public TrainingMethod Method { get; private init; }

    /// <summary>
    /// What stands for the concept in prompts, <c>&lt;my-cat&gt;</c>. Default: the concept's name in angle brackets.
    /// </summary>
    public string Placeholder { get; private init; } = "";

    /// <summary>
    /// Word or phrase whose token embeddings give the start μ. Default: <c>object</c> for objects, <c>painting</c> for
    /// styles; empty where <see cref="Start"/> gives it.
    /// </summary>
    public string Initializer { get; private init; } = "";

    /// <summary>The tokens that the initialiser is made of.</summary>
    public IReadOnlyList<string> InitializerTokens { get; private init; } = [];

    /// <summary>
    /// A concept to go on from: its vectors are where training starts, and its directions are μ, unless an initialiser
    /// is named. Default: none.
    /// </summary>
    [JsonIgnore]
    public ConceptEmbedding? Start { get; private init; }

    /// <summary>Which text encoders learn. Default: all.</summary>
    public LearntEncoders Encoders { get; private init; }

    /// <summary>
    /// The texts that the concept is trained with, <c>{}</c> for it; at most 1,000. Default: <see
    /// cref="PromptTemplates"/> of the kind.
    /// </summary>
    public IReadOnlyList<string> Templates { get; private init; } = [];

    /// <summary>A photo's opacity is its mask, where it has no other. Default: false.</summary>
    public bool UseAlpha { get; private init; }

    /// <summary>Number of vectors n, 1 to 32. Default: one per token of the initialiser.</summary>
    public int VectorCount { get; private init; }

    /// <summary>
    /// Optimiser steps, 1 to 100,000. Default: what the model says (<see cref="TrainingDefaults"/>), else 500, as the
    /// paper.
    /// </summary>
    public int Steps { get; private init; }

    /// <summary>Crops of a batch, 1 to 64. Default 4, as the paper.</summary>
    public int BatchSize { get; private init; }

    /// <summary>
    /// Batches whose gradients are averaged into one step, 1 to 64: a step is of <see cref="BatchSize"/> times as many
    /// crops, in the memory of one batch. Default 1.
    /// </summary>
    public int GradientAccumulation { get; private init; }

    /// <summary>
    /// Step length η on the sphere, or AdamW's learning rate; in (0, 1], used as given. Default: what the model says,
    /// else 0.01, as the paper; AdamW: 0.005.
    /// </summary>
    public double LearningRate { get; private init; }

    /// <summary>
    /// Strength κ of the von Mises–Fisher prior, 0 to 10; directional only. Default: what the model says, else 1e-4, as
    /// the paper.
    /// </summary>
    public double Kappa { get; private init; }

    /// <summary>How κ goes over the run; directional only. Default: constant, as the paper.</summary>
    public KappaSchedule KappaSchedule { get; private init; }

    /// <summary>
    /// λ of the pull λ·mean((e − e₀)²) toward the start, 0 to 1000; not for directional, which has κ. Default 0.
    /// </summary>
    public double Regularization { get; private init; }

    /// <summary>β of the optimiser's second moment, 0 ≤ β &lt; 1; directional only. Default 0, as the paper.</summary>
    public double Beta { get; private init; }

    /// <summary>How the magnitude was chosen. Default: mean.</summary>
    public MagnitudeChoice Magnitude { get; private init; }

    /// <summary>The magnitude m in use, of the first text encoder.</summary>
    public double MagnitudeValue => MagnitudeValues[0];

    /// <summary>The magnitude m in use for each text encoder.</summary>
    public IReadOnlyList<double> MagnitudeValues { get; private init; } = [0];

    /// <summary>Side of the crops in pixels: a multiple of 8, 64 to 2048. Default: the model's own.</summary>
    public int Resolution { get; private init; }

    /// <summary>Crop the centre instead of a random place. Default: false.</summary>
    public bool CenterCrop { get; private init; }

    /// <summary>Mirror half of the crops. Default: false.</summary>
    public bool RandomFlip { get; private init; }

    /// <summary>Seed of every random choice. Default: a new one.</summary>
    public ulong Seed { get; private init; }

    /// <summary>
    /// Stop before <see cref="Steps"/> where checks say that nothing more is learnt, and keep the concept of the best
    /// check. Default: false.
    /// </summary>
    public bool StopEarly { get; private init; }

    /// <summary>
    /// Measure the concept deterministically before the first step and every so many (<see cref="TrainingCheck"/>); 0:
    /// never. Default: 0, or 25 to stop early.
    /// </summary>
    public int CheckEvery { get; private init; }

    /// <summary>Snapshots are kept every so many steps; 0: only the newest. Default 100.</summary>
    public int SnapshotEvery { get; private init; }

    /// <summary>Previews every so many steps, and at the end; 0: none. Default 100.</summary>
    public int PreviewEvery { get; private init; }

    /// <summary>
    /// Generate previews once before the first step too, with the initialiser in the concept's place. Default: false.
    /// </summary>
    public bool PreviewBaseline { get; private init; }

    /// <summary>At most 8 prompts; <c>{concept}</c> stands for the concept. Default: one, by kind.</summary>
    public IReadOnlyList<string> PreviewPrompts { get; private init; } = [];

    /// <summary>Sampling steps of a preview, 1 to 200. Default 20.</summary>
    public int PreviewSteps { get; private init; }

    /// <summary>What the model predicts. Default: what it says itself.</summary>
    public PredictionType PredictionType { get; private init; }

    /// <summary>What the user should know of these settings.</summary>
    public IReadOnlyList<TrainingWarning> Warnings { get; private init; } = [];

    /// <summary>Fills in defaults and checks every value.</summary>
    /// <param name="options">What was asked.</param>
    /// <param name="name">The concept's name; gives the default placeholder.</param>
    /// <param name="profile">The model.</param>
    /// <param name="newSeed">Chooses a seed where none was given.</param>
    /// <exception cref="ValidationException">Names every wrong field: <c>learning_rate</c>, <c>steps</c>,
    /// ….</exception>
    /// <exception cref="DtiException">The concept to start from is of another family.</exception>
    public static TrainingSettings Resolve(
        TrainingOptions options,
        string name,
        ModelProfile profile,
        Func<ulong> newSeed
    )
    {
        var found = new Violations();
        var kind = options.Kind ?? ConceptKind.Object;
        var method = options.Method ?? TrainingMethod.Directional;
        var way = LearningMethod.Of(method);
        var initializer = options.Initializer
            ?? (
                options.Start is not null ? ""
                : kind == ConceptKind.Style ? "painting"
                : "object"
            );
        var tokens = profile.Tokenizer.Encode(initializer);
        if (tokens.Count > 32 || (tokens.Count == 0 && (options.Start is null || options.Initializer is not null)))
        {
            found.Add(
                "initializer",
                $"initializer '{initializer}' becomes {tokens.Count} tokens; it must be a word or phrase of 1 to 32 tokens."
            );
        }

        var settings = new TrainingSettings
        {
            Kind = kind,
            Method = method,
            Placeholder = options.Placeholder ?? $"<{name}>",
            Initializer = initializer,
            InitializerTokens = [.. tokens.Select(id => profile.Tokenizer.TextOf(id))],
            Start = options.Start,
            Encoders = options.Encoders ?? LearntEncoders.All,
            Templates = TemplatesOf(options, kind, initializer, found),
            UseAlpha = options.UseAlpha ?? false,
            VectorCount = options.VectorCount ?? options.Start?.VectorCount ?? Math.Clamp(tokens.Count, 1, 32),
            Steps = options.Steps
                ?? (int)
                    Math.Ceiling(
                        (profile.TrainingDefaults.Steps ?? 500)
                            * TrainingPresets.Steps(options.Preset ?? TrainingPreset.Balanced)
                    ),
            BatchSize = options.BatchSize ?? 4,
            GradientAccumulation = options.GradientAccumulation ?? 1,
            LearningRate = options.LearningRate
                ?? (way.OnSphere ? profile.TrainingDefaults.LearningRate : null)
                ?? way.DefaultLearningRate,
            Kappa = options.Kappa
                ?? (
                    way.OnSphere
                        ? TrainingPresets.Kappa(options.Obedience ?? 0.5, profile.TrainingDefaults.Kappa ?? 1e-4)
                        : 0
                ),
            KappaSchedule = options.KappaSchedule ?? KappaSchedule.Constant,
            Regularization = options.Regularization ?? 0,
            Beta = options.Beta ?? 0,
            Magnitude = options.Magnitude
                ?? (options.MagnitudeValue is null ? MagnitudeChoice.Mean : MagnitudeChoice.Value),
            Resolution = options.Resolution ?? profile.Resolution,
            CenterCrop = options.CenterCrop ?? false,
            RandomFlip = options.RandomFlip ?? false,
            Seed = options.Seed ?? newSeed(),
            StopEarly = options.StopEarly ?? false,
            CheckEvery = options.CheckEvery ?? (options.StopEarly == true ? 25 : 0),
            SnapshotEvery = options.SnapshotEvery ?? 100,
            PreviewEvery = options.PreviewEvery ?? 100,
            PreviewBaseline = options.PreviewBaseline ?? false,
            PreviewPrompts = options.PreviewPrompts is { Count: > 0 } prompts
                ? prompts
                :
                [
                    kind == ConceptKind.Style
                        ? "a painting of a house in the style of {concept}"
                        : "a photo of {concept}",
                ],
            PreviewSteps = options.PreviewSteps ?? 20,
            PredictionType = found.Try("prediction_type", () =>
                PredictionTypes.Resolve(options.PredictionType, profile.Noise)
            ),
        };

        if (options.Placeholder is not null) // the one made from the name is as good as the name
        {
            found.Try("placeholder", () =>
            {
                PlaceholderTokens.Validate(settings.Placeholder, profile.Tokenizer);
                return true;
            });
        }

        found.Range("num_vectors", settings.VectorCount, 1, 32);
        found.Range("steps", settings.Steps, 1, 100_000);
        found.Range("batch_size", settings.BatchSize, 1, 64);
        found.Range("gradient_accumulation", settings.GradientAccumulation, 1, 64);
        found.Range("learning_rate", settings.LearningRate, 0, 1, minExcluded: true);
        found.Range("kappa", settings.Kappa, 0, 10);
        found.Range("obedience", options.Obedience ?? 0.5, 0, 1);
        found.Range("beta", settings.Beta, 0, 1, maxExcluded: true);
        found.Range("regularization", settings.Regularization, 0, 1000);
        foreach (
            var (field, asked) in new[]
            {
                ("kappa", options.Kappa),
                ("obedience", options.Obedience),
                ("beta", options.Beta),
            }.Where(pair => !way.OnSphere && pair.Item2 is > 0)
        )
        {
            found.Add(field, $"{field} is {asked}; it belongs to the method dti alone.");
        }

        if (way.OnSphere && settings.Regularization > 0)
        {
            found.Add(
                "regularization",
                $"regularization is {settings.Regularization}; the method dti has kappa instead."
            );
        }

        if (settings.Start is { } start)
        {
            profile.EnsureFits(start);
            if (settings.VectorCount != start.VectorCount)
            {
                found.Add(
                    "num_vectors",
                    $"num_vectors is {settings.VectorCount}; {start.Placeholder}, from which training is to go on, has {start.VectorCount}."
                );
            }

            if (method == TrainingMethod.CrossInit)
            {
                found.Add(
                    "start_concept",
                    "start_concept does not go with cross_init, which has a start of its own; the method ti goes on from a concept in the same way."
                );
            }
        }

        if (settings.Encoders == LearntEncoders.Second && profile.Encoders.Count < 2)
        {
            found.Add("text_encoders", $"text_encoders asks for the second text encoder; {profile.Name} has only one.");
        }

        found.Range("check_every", settings.CheckEvery, settings.StopEarly ? 1 : 0, 100_000);
        found.Range("snapshot_every", settings.SnapshotEvery, 0, 100_000);
        found.Side("resolution", settings.Resolution);
        found.Range("preview_every", settings.PreviewEvery, 0, 100_000);
        found.Range("preview_steps", settings.PreviewSteps, 1, 200);
        if (
            settings.PreviewPrompts.Count > 8
            || settings.PreviewPrompts.Any(prompt => prompt.Length > GenerationSettings.MaxPromptLength)
        )
        {
            found.Add(
                "preview_prompts",
                $"preview_prompts must be at most 8, each of at most {GenerationSettings.MaxPromptLength} characters."
            );
        }

        if (settings.Magnitude == MagnitudeChoice.Value)
        {
            found.Range("magnitude_value", options.MagnitudeValue ?? double.NaN, 0, 1000, minExcluded: true);
        }

        found.ThrowIfAny();
        return settings with
        {
            MagnitudeValues =
            [
                .. profile.Encoders.Select((_, encoder) => MagnitudeOf(settings, options, profile, encoder)),
            ],
            Warnings = WarningsOf(settings, options, profile),
        };
    }

    /// <summary>The settings of one preview.</summary>
    /// <param name="index">Which prompt.</param>
    /// <param name="profile">The model.</param>
    /// <param name="word">What stands in the concept's place; null: the placeholder.</param>
    internal GenerationSettings PreviewGeneration(int index, ModelProfile profile, string? word = null)
    {
        var options = new GenerationOptions
        {
            Prompt = PreviewPrompts[index]
                .Replace(PromptTemplates.Concept, word ?? Placeholder, StringComparison.Ordinal),
            Width = Resolution,
            Height = Resolution,
            Steps = PreviewSteps,
            PredictionType = PredictionTypes.NameOf(PredictionType),
        };
        return GenerationSettings.Resolve(options, profile, () => Seed);
    }

    private static double MagnitudeOf(
        TrainingSettings settings,
        TrainingOptions options,
        ModelProfile profile,
        int encoder
    )
    {
        var (tokenizer, norms) = (profile.Encoders[encoder].Tokenizer, profile.Encoders[encoder].VocabularyNorms);
        return settings.Magnitude switch
        {
            MagnitudeChoice.Median => norms.Median,
            MagnitudeChoice.Min => norms.Min,
            MagnitudeChoice.Max => norms.Max,
            MagnitudeChoice.Initializer => settings.Initializer.Length > 0
                ? tokenizer.Encode(settings.Initializer).Average(norms.Of)
                : settings.Start!.Encoders[encoder].Magnitudes.Average(),
            MagnitudeChoice.Value => options.MagnitudeValue!.Value,
            _ => norms.Mean,
        };
    }

    private static IReadOnlyList<string> TemplatesOf(
        TrainingOptions options,
        ConceptKind kind,
        string initializer,
        Violations found
    )
    {
        if (options.Templates is not { Count: > 0 } own)
        {
            return PromptTemplates.For(kind);
        }

        if (own.Count > MaxTemplates || own.Any(text => text.Length > GenerationSettings.MaxPromptLength))
        {
            found.Add(
                "templates",
                $"templates must be at most {MaxTemplates}, each of at most {GenerationSettings.MaxPromptLength} characters."
            );
        }

        var templates = own.Select(text => (Text: text, Template: PromptTemplates.Parse(text, initializer))).ToArray();
        foreach (var (text, _) in templates.Where(pair => pair.Template is null).Take(1))
        {
            found.Add(
                "templates",
                $"The template '{text}' does not say where the concept goes: write {PromptTemplates.Concept} there."
            );
        }

        return [.. templates.Select(pair => pair.Template ?? "{}")];
    }

    private static List<TrainingWarning> WarningsOf(
        TrainingSettings settings,
        TrainingOptions options,
        ModelProfile profile
    )
    {
        var warnings = new List<TrainingWarning>();
        if (profile.Domain is { } domain)
        {
            warnings.Add(
                new TrainingWarning(
                    "MODEL_DOMAIN",
                    $"{profile.Name} knows only {domain}, so it cannot learn anything else from photos. "
                        + "For your own photos, use a full Stable Diffusion model: --models FOLDER or FILE."
                )
            );
        }

        var tokens = settings.InitializerTokens;
        if (tokens.Count > 1)
        {
            var spelt = string.Join(" ", tokens);
            warnings.Add(
                settings.VectorCount < tokens.Count
                    ? new TrainingWarning(
                        "INITIALIZER_CUT",
                        $"The initializer '{settings.Initializer}' is {tokens.Count} tokens ({spelt}); only the first {settings.VectorCount} start a vector."
                    )
                    : new TrainingWarning(
                        "INITIALIZER_SPLIT",
                        $"The initializer '{settings.Initializer}' is {tokens.Count} tokens ({spelt}), so the concept has {settings.VectorCount} vectors."
                    )
            );
        }

        if (options.VectorCount > tokens.Count)
        {
            warnings.Add(
                new TrainingWarning(
                    "INITIALIZER_REPEATED",
                    $"{settings.VectorCount} vectors start from {tokens.Count} token(s) of the initializer; the last one is repeated."
                )
            );
        }

        return warnings;
    }
}
