using System.Text.Json.Serialization;
using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using Dti.Engine.Training.Methods;
using Dti.Settings;

namespace Dti.Engine.Training;

/// <summary>
/// What a training run uses: every default filled in, every value within its range. With the photos, it repeats the
/// run.
/// </summary>
[DeclaredSettings(Except = "model dtype device vae start_concept", Accessor = "private init", Checks = true)]
public sealed partial record TrainingSettings
{
    private const int MaxTemplates = 1000;

    private TrainingSettings() { }

    /// <summary>What is learnt, and how. Default: directional.</summary>
    public TrainingMethod Method { get; private init; }

    /// <summary>The tokens that the initialiser is made of.</summary>
    public IReadOnlyList<string> InitializerTokens { get; private init; } = [];

    /// <summary>
    /// A concept to continue from: its vectors are where training starts, and its directions are μ, unless an
    /// initialiser is named. Default: none.
    /// </summary>
    [JsonIgnore]
    public ConceptEmbedding? StartConcept { get; private init; }

    /// <summary>
    /// Where training starts if no concept is named. With <see cref="TrainingStart.Photos"/> the direction that the
    /// photos give is μ too, unless an initialiser is named. Default: for directional training of an object without an
    /// initialiser what the model's folder says, else word.
    /// </summary>
    public TrainingStart Start { get; private init; }

    /// <summary>How η goes over the run. Default: what the model's folder says, else constant.</summary>
    public LearningRateSchedule LearningRateSchedule { get; private init; }

    /// <summary>How the magnitude was chosen. Default: mean.</summary>
    public MagnitudeChoice Magnitude { get; private init; }

    /// <summary>The magnitude m in use, of the first text encoder.</summary>
    public double MagnitudeValue => MagnitudeValues[0];

    /// <summary>The magnitude m in use for each text encoder.</summary>
    public IReadOnlyList<double> MagnitudeValues { get; private init; } = [0];

    /// <summary>Weight decay of AdamW, where the method does not rule it out.</summary>
    internal double WeightDecay { get; private init; }

    /// <summary>What the model predicts. Default: what it says itself.</summary>
    public PredictionType PredictionType { get; private init; }

    /// <summary>What the user should know of these settings.</summary>
    public IReadOnlyList<TrainingWarning> Warnings { get; private init; } = [];

    /// <summary>Whether the initialiser alone says where training starts.</summary>
    [JsonIgnore]
    public bool StartsAtWord => StartConcept is null && Start == TrainingStart.Word;

    /// <summary>η at a step.</summary>
    /// <param name="step">1, 2, …</param>
    internal double LearningRateAt(int step) => LearningRate * LearningRateSchedule.Share(step, Steps);

    /// <summary>Fills in defaults and checks every value.</summary>
    /// <param name="options">What was asked.</param>
    /// <param name="name">The concept's name; gives the default placeholder.</param>
    /// <param name="profile">The model.</param>
    /// <param name="newSeed">Chooses a seed where none was given; null: one must be.</param>
    /// <exception cref="ValidationException">Names every wrong field: <c>learning_rate</c>, <c>steps</c>,
    /// ….</exception>
    /// <exception cref="DtiException">The concept to start from is of another family.</exception>
    public static TrainingSettings Resolve(
        TrainingOptions options,
        string name,
        ModelProfile profile,
        Func<ulong>? newSeed = null
    )
    {
        var found = new Violations();
        var kind = options.Kind ?? ConceptKind.Object;
        var method = options.Method ?? TrainingMethod.Directional;
        var way = LearningMethod.Of(method);
        // A photo encoder knows objects, and who names a word starts there.
        var isOpen = options is { StartConcept: null, Initializer: null } && kind == ConceptKind.Object && way.OnSphere;
        var start = options.Start ?? (isOpen ? profile.TrainingDefaults.Start : null) ?? TrainingStart.Word;
        var needsWord = options.StartConcept is null && start == TrainingStart.Word;
        var initializer = options.Initializer
            ?? (
                !needsWord ? ""
                : kind == ConceptKind.Style ? "painting"
                : "object"
            );
        var tokens = profile.Tokenizer.Encode(initializer);
        if (tokens.Count > 32 || (tokens.Count == 0 && (needsWord || options.Initializer is not null)))
        {
            found.Add(
                "initializer",
                $"initializer '{initializer}' becomes {tokens.Count} tokens; it must be a word or phrase of 1 to 32 tokens."
            );
        }

        var settings = WithDefaults(options) with
        {
            Method = method,
            Placeholder = options.Placeholder ?? $"<{name}>",
            Initializer = initializer,
            InitializerTokens = [.. tokens.Select(id => profile.Tokenizer.TextOf(id))],
            StartConcept = options.StartConcept,
            Start = start,
            Templates = TemplatesOf(options, kind, initializer, found),
            VectorCount = options.VectorCount ?? options.StartConcept?.VectorCount ?? Math.Clamp(tokens.Count, 1, 32),
            Steps = options.Steps
                ?? (int)
                    Math.Ceiling(
                        (profile.TrainingDefaults.Steps ?? 500)
                            * TrainingPresets.Steps(options.Preset ?? TrainingPreset.Balanced)
                    ),
            LearningRate = options.LearningRate
                ?? (way.OnSphere ? profile.TrainingDefaults.LearningRate : null)
                ?? way.DefaultLearningRate,
            LearningRateSchedule = options.LearningRateSchedule
                ?? (way.OnSphere ? profile.TrainingDefaults.LearningRateSchedule : null)
                ?? LearningRateSchedule.Constant,
            Kappa = options.Kappa
                ?? (
                    way.OnSphere
                        ? TrainingPresets.Kappa(options.Obedience ?? 0.5, profile.TrainingDefaults.Kappa ?? 1e-4)
                        : 0
                ),
            WeightDecay = profile.TrainingDefaults.WeightDecay ?? AdamW.PublishedWeightDecay,
            Magnitude = options.Magnitude
                ?? (options.MagnitudeValue is null ? MagnitudeChoice.Mean : MagnitudeChoice.Value),
            Resolution = options.Resolution ?? profile.Resolution,
            Seed = options.Seed
                ?? newSeed?.Invoke()
                ?? throw new ArgumentException("There is no seed.", nameof(options)),
            CheckEvery = options.CheckEvery ?? (options.StopEarly == true ? 25 : 0),
            PreviewPrompts = options.PreviewPrompts is { Count: > 0 } prompts
                ? prompts
                :
                [
                    kind == ConceptKind.Style
                        ? "a painting of a house in the style of {concept}"
                        : "a photo of {concept}",
                ],
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

        settings.CheckRanges(options, found);
        profile.Latents.CheckSide("resolution", settings.Resolution, found);
        if (!way.OnSphere)
        {
            CheckMethod(options, found);
        }

        if (way.OnSphere && settings.Regularization > 0)
        {
            found.Add(
                "regularization",
                $"regularization is {settings.Regularization}; the method dti has kappa instead."
            );
        }

        if (settings.StartConcept is { } concept)
        {
            profile.EnsureFits(concept);
            if (settings.VectorCount != concept.VectorCount)
            {
                found.Add(
                    "num_vectors",
                    $"num_vectors is {settings.VectorCount}; {concept.Placeholder}, from which training is to go on, has {concept.VectorCount}."
                );
            }

            if (method == TrainingMethod.CrossInit)
            {
                found.Add(
                    "start_concept",
                    "start_concept cannot be combined with cross_init, which computes its own start; the method ti continues from a concept in the same way."
                );
            }
        }

        if (start == TrainingStart.Photos)
        {
            CheckPhotoStart(settings, profile, found);
        }

        if (settings.TextEncoders == LearntEncoders.Second && profile.Encoders.Count < 2)
        {
            found.Add("text_encoders", $"text_encoders asks for the second text encoder; {profile.Name} has only one.");
        }

        if (settings.StopEarly && settings.CheckEvery == 0)
        {
            found.Add("check_every", "check_every is 0; it must be 1 or more where stop_early is set.");
        }

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
            OmitInstruction = true, // the concept is learnt without one
        };
        return GenerationSettings.Resolve(options, profile, () => Seed);
    }

    private static void CheckPhotoStart(TrainingSettings settings, ModelProfile profile, Violations found)
    {
        if (!profile.HasPhotoEncoder)
        {
            found.Add(
                "start",
                $"start is photos, but {profile.Name} has no photo encoder (folder {PhotoEncoderConfig.Component}). Start at a word, or choose a model that has one."
            );
        }

        if (settings.StartConcept is not null)
        {
            found.Add("start", "start is photos and start_concept names a concept; training can start at one of them.");
        }

        if (settings.Method == TrainingMethod.CrossInit)
        {
            found.Add("start", "start photos cannot be combined with cross_init, which computes its own start.");
        }

        if (settings is { Magnitude: MagnitudeChoice.Initializer, Initializer.Length: 0 })
        {
            found.Add(
                "magnitude",
                "magnitude is that of the initializer, but start photos uses none; name an initializer."
            );
        }
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
                : settings.StartConcept!.Encoders[encoder].Magnitudes.Average(),
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

        if (options.VectorCount > tokens.Count && tokens.Count > 0)
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
