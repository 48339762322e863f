using Dti.ClientSdk;

namespace Dti.Cli.Output;

/// <summary>Every setting of a run with its value, spelled as the contract spells it.</summary>
internal static class SettingsTable
{
    /// <summary>Where a run starts, in a word or two.</summary>
    public static string Start(TrainingSettings settings) =>
        settings.StartConcept.Length > 0 ? $"concept {settings.StartConcept}"
        : settings.Start == TrainingStart.Photos ? "photos"
        : settings.Initializer;

    /// <summary>Every setting with its value.</summary>
    public static IEnumerable<(string Name, string Value)> Of(TrainingSettings settings) =>
        [
            ("model", settings.Model),
            ("kind", Word(settings.Kind)),
            ("method", MethodNames.Of(settings.Method)),
            ("placeholder", settings.Placeholder),
            ("initializer", settings.Initializer),
            ("initializer_tokens", string.Join(" ", settings.InitializerTokens)),
            ("start_concept", settings.StartConcept),
            ("start", Word(settings.Start)),
            ("templates", string.Join(" | ", settings.Templates)),
            ("use_alpha", Word(settings.UseAlpha)),
            ("text_encoders", Word(settings.TextEncoders)),
            ("num_vectors", $"{settings.VectorCount}"),
            ("steps", $"{settings.Steps}"),
            ("batch_size", $"{settings.BatchSize}"),
            ("gradient_accumulation", $"{settings.GradientAccumulation}"),
            ("learning_rate", Numbers.Exact(settings.LearningRate)),
            ("learning_rate_schedule", Word(settings.LearningRateSchedule)),
            ("kappa", Numbers.Exact(settings.Kappa)),
            ("kappa_schedule", Word(settings.KappaSchedule)),
            ("regularization", Numbers.Exact(settings.Regularization)),
            ("beta", Numbers.Exact(settings.Beta)),
            ("magnitude", Word(settings.Magnitude)),
            ("magnitude_value", Numbers.Exact(settings.MagnitudeValue)),
            ("resolution", $"{settings.Resolution}"),
            ("center_crop", Word(settings.CenterCrop)),
            ("random_flip", Word(settings.RandomFlip)),
            ("seed", $"{settings.Seed}"),
            ("stop_early", Word(settings.StopEarly)),
            ("check_every", $"{settings.CheckEvery}"),
            ("preview_baseline", Word(settings.PreviewBaseline)),
            ("snapshot_every", $"{settings.SnapshotEvery}"),
            ("preview_every", $"{settings.PreviewEvery}"),
            ("preview_prompts", string.Join(" | ", settings.PreviewPrompts)),
            ("preview_steps", $"{settings.PreviewSteps}"),
            ("vae", settings.Vae),
            ("prediction_type", settings.PredictionType),
            ("dtype", settings.Dtype),
            ("device", settings.Device),
        ];

    public static IEnumerable<(string Name, string Value)> Of(GenerationSettings settings) =>
        [
            ("prompt", settings.Prompt),
            ("negative_prompt", settings.NegativePrompt),
            ("model", settings.Model),
            ("width", $"{settings.Width}"),
            ("height", $"{settings.Height}"),
            ("steps", $"{settings.Steps}"),
            ("guidance_scale", Numbers.Exact(settings.GuidanceScale)),
            ("guidance_rescale", Numbers.Exact(settings.GuidanceRescale)),
            ("scheduler", settings.Scheduler),
            ("clip_skip", $"{settings.ClipSkip}"),
            ("preview_every", $"{settings.PreviewEvery}"),
            ("seed", $"{settings.Seed}"),
            ("num_images", $"{settings.ImageCount}"),
            ("prompt_syntax", Word(settings.PromptSyntax)),
            ("long_prompts", Word(settings.LongPrompts)),
            ("omit_instruction", Word(settings.OmitInstruction)),
            ("resolution_binning", Word(settings.ResolutionBinning)),
            ("format", Word(settings.Format)),
            ("quality", $"{settings.Quality}"),
            ("omit_metadata", Word(settings.OmitMetadata)),
            ("vae", settings.Vae),
            ("prediction_type", settings.PredictionType),
            ("dtype", settings.Dtype),
            ("device", settings.Device),
            ("concepts", string.Join(", ", settings.Concepts)),
        ];

    public static string Word<T>(T value) => $"{value}".ToLowerInvariant();
}
