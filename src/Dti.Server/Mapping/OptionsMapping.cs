using Dti.V1;
using Asked = Dti.Engine.Training;

namespace Dti.Server.Mapping;

/// <summary>From messages to what the engine takes.</summary>
internal static class OptionsMapping
{
    public static Asked.TrainingOptions ToEngine(this TrainingOptions options) => new()
    {
        Kind = options.Kind switch
        {
            ConceptKind.Object => Asked.ConceptKind.Object,
            ConceptKind.Style => Asked.ConceptKind.Style,
            _ => null,
        },
        Method = options.Method switch
        {
            TrainingMethod.Dti => Asked.TrainingMethod.Directional,
            TrainingMethod.Ti => Asked.TrainingMethod.TextualInversion,
            TrainingMethod.TiRescaled => Asked.TrainingMethod.Rescaled,
            TrainingMethod.TiRenormalized => Asked.TrainingMethod.Renormalized,
            TrainingMethod.TiSoftlyRenormalized => Asked.TrainingMethod.SoftlyRenormalized,
            TrainingMethod.CrossInit => Asked.TrainingMethod.CrossInit,
            _ => null,
        },
        Placeholder = options.HasPlaceholder ? options.Placeholder : null,
        Initializer = options.HasInitializer ? options.Initializer : null,
        VectorCount = options.HasNumVectors ? options.NumVectors : null,
        Steps = options.HasSteps ? options.Steps : null,
        BatchSize = options.HasBatchSize ? options.BatchSize : null,
        LearningRate = options.HasLearningRate ? options.LearningRate : null,
        Kappa = options.HasKappa ? options.Kappa : null,
        KappaSchedule = options.KappaSchedule switch
        {
            KappaSchedule.Constant => Asked.KappaSchedule.Constant,
            KappaSchedule.Linear => Asked.KappaSchedule.Linear,
            KappaSchedule.Cosine => Asked.KappaSchedule.Cosine,
            _ => null,
        },
        Regularization = options.HasRegularization ? options.Regularization : null,
        Beta = options.HasBeta ? options.Beta : null,
        Magnitude = options.Magnitude switch
        {
            Magnitude.Mean => Asked.MagnitudeChoice.Mean,
            Magnitude.Median => Asked.MagnitudeChoice.Median,
            Magnitude.Min => Asked.MagnitudeChoice.Min,
            Magnitude.Max => Asked.MagnitudeChoice.Max,
            Magnitude.Initializer => Asked.MagnitudeChoice.Initializer,
            Magnitude.Value => Asked.MagnitudeChoice.Value,
            _ => null,
        },
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

    public static Engine.Generation.GenerationOptions ToEngine(this GenerationOptions options) => new()
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
        PredictionType = options.HasPredictionType ? options.PredictionType : null,
        PromptSyntax = options.PromptSyntax switch
        {
            PromptSyntax.Weighted => Engine.Generation.PromptSyntax.Weighted,
            PromptSyntax.Plain => Engine.Generation.PromptSyntax.Plain,
            _ => null,
        },
    };

    public static Engine.Generation.Easing? ToEngine(this Easing easing) => easing switch
    {
        Easing.Linear => Engine.Generation.Easing.Linear,
        Easing.Smooth => Engine.Generation.Easing.Smooth,
        _ => null,
    };

    public static Engine.Imaging.ImageFormat ToEngine(this PictureFormat format) => format switch
    {
        PictureFormat.Jpeg => Engine.Imaging.ImageFormat.Jpeg,
        PictureFormat.Webp => Engine.Imaging.ImageFormat.Webp,
        _ => Engine.Imaging.ImageFormat.Png,
    };
}
