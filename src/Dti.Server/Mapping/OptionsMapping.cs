using Dti.Engine.Concepts;
using Dti.V1;
using Asked = Dti.Engine.Training;

namespace Dti.Server.Mapping;

/// <summary>From messages to what the engine takes.</summary>
internal static class OptionsMapping
{
    /// <param name="options">The message.</param>
    /// <param name="start">The concept that start_concept names.</param>
    public static Asked.TrainingOptions ToEngine(this TrainingOptions options, ConceptEmbedding? start) =>
        new()
        {
            Start = start,
            Encoders = EnumPairs.LearntEncoders.ToEngine(options.TextEncoders),
            Templates = [.. options.Templates],
            UseAlpha = options.HasUseAlpha ? options.UseAlpha : null,
            Preset = EnumPairs.Presets.ToEngine(options.Preset),
            Obedience = options.HasObedience ? options.Obedience : null,
            StopEarly = options.HasStopEarly ? options.StopEarly : null,
            CheckEvery = options.HasCheckEvery ? options.CheckEvery : null,
            PreviewBaseline = options.HasPreviewBaseline ? options.PreviewBaseline : null,
            SnapshotEvery = options.HasSnapshotEvery ? options.SnapshotEvery : null,
            Kind = EnumPairs.Kinds.ToEngine(options.Kind),
            Method = EnumPairs.Methods.ToEngine(options.Method),
            Placeholder = options.HasPlaceholder ? options.Placeholder : null,
            Initializer = options.HasInitializer ? options.Initializer : null,
            VectorCount = options.HasNumVectors ? options.NumVectors : null,
            Steps = options.HasSteps ? options.Steps : null,
            BatchSize = options.HasBatchSize ? options.BatchSize : null,
            GradientAccumulation = options.HasGradientAccumulation ? options.GradientAccumulation : null,
            LearningRate = options.HasLearningRate ? options.LearningRate : null,
            Kappa = options.HasKappa ? options.Kappa : null,
            KappaSchedule = EnumPairs.KappaSchedules.ToEngine(options.KappaSchedule),
            Regularization = options.HasRegularization ? options.Regularization : null,
            Beta = options.HasBeta ? options.Beta : null,
            Magnitude = EnumPairs.Magnitudes.ToEngine(options.Magnitude),
            MagnitudeValue = options.HasMagnitudeValue ? options.MagnitudeValue : null,
            Resolution = options.HasResolution ? options.Resolution : null,
            CenterCrop = options.HasCenterCrop ? options.CenterCrop : null,
            RandomFlip = options.HasRandomFlip ? options.RandomFlip : null,
            Seed = options.HasSeed ? options.Seed : null,
            PreviewEvery = options.HasPreviewEvery ? options.PreviewEvery : null,
            PreviewPrompts = [.. options.PreviewPrompts],
            PreviewSteps = options.HasPreviewSteps ? options.PreviewSteps : null,
            PredictionType = options.HasPredictionType ? options.PredictionType : null,
        };

    public static Engine.Generation.GenerationOptions ToEngine(this GenerationOptions options) =>
        new()
        {
            Prompt = options.Prompt,
            NegativePrompt = options.HasNegativePrompt ? options.NegativePrompt : null,
            Width = options.HasWidth ? options.Width : null,
            Height = options.HasHeight ? options.Height : null,
            Steps = options.HasSteps ? options.Steps : null,
            GuidanceScale = options.HasGuidanceScale ? options.GuidanceScale : null,
            Scheduler = options.HasScheduler ? options.Scheduler : null,
            Seed = options.HasSeed ? options.Seed : null,
            ImageCount = options.HasNumImages ? options.NumImages : null,
            GuidanceRescale = options.HasGuidanceRescale ? options.GuidanceRescale : null,
            ClipSkip = options.HasClipSkip ? options.ClipSkip : null,
            PreviewEvery = options.HasPreviewEvery ? options.PreviewEvery : null,
            PredictionType = options.HasPredictionType ? options.PredictionType : null,
            PromptSyntax = EnumPairs.PromptSyntaxes.ToEngine(options.PromptSyntax),
            LongPrompts = EnumPairs.LongPrompts.ToEngine(options.LongPrompts),
        };

    public static Engine.Generation.Easing? ToEngine(this Easing easing) =>
        easing switch
        {
            Easing.Linear => Engine.Generation.Easing.Linear,
            Easing.Smooth => Engine.Generation.Easing.Smooth,
            _ => null,
        };

    public static Engine.Imaging.ImageFormat ToEngine(this PictureFormat format) =>
        format switch
        {
            PictureFormat.Jpeg => Engine.Imaging.ImageFormat.Jpeg,
            PictureFormat.Webp => Engine.Imaging.ImageFormat.Webp,
            _ => Engine.Imaging.ImageFormat.Png,
        };
}
