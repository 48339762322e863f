using Dti.Engine.Runtime;
using Dti.Engine.Schedulers;
using Dti.V1;
using Resolved = Dti.Engine.Training.TrainingSettings;
using ResolvedGeneration = Dti.Engine.Generation.GenerationSettings;

namespace Dti.Server.Mapping;

/// <summary>Resolved settings to messages, and back to options that leave nothing open.</summary>
internal static class SettingsMapping
{
    public static TrainingSettings ToMessage(this Resolved settings, string model, string vae, ComputeTarget target) => new()
    {
        Model = model,
        Kind = settings.Kind == Engine.Training.ConceptKind.Style ? ConceptKind.Style : ConceptKind.Object,
        Method = settings.Method switch
        {
            Engine.Training.TrainingMethod.TextualInversion => TrainingMethod.Ti,
            Engine.Training.TrainingMethod.Rescaled => TrainingMethod.TiRescaled,
            Engine.Training.TrainingMethod.Renormalized => TrainingMethod.TiRenormalized,
            Engine.Training.TrainingMethod.SoftlyRenormalized => TrainingMethod.TiSoftlyRenormalized,
            Engine.Training.TrainingMethod.CrossInit => TrainingMethod.CrossInit,
            _ => TrainingMethod.Dti,
        },
        Placeholder = settings.Placeholder,
        Initializer = settings.Initializer,
        InitializerTokens = { settings.InitializerTokens },
        NumVectors = settings.VectorCount,
        Steps = settings.Steps,
        BatchSize = settings.BatchSize,
        LearningRate = settings.LearningRate,
        Kappa = settings.Kappa,
        KappaSchedule = settings.KappaSchedule switch
        {
            Engine.Training.KappaSchedule.Linear => KappaSchedule.Linear,
            Engine.Training.KappaSchedule.Cosine => KappaSchedule.Cosine,
            _ => KappaSchedule.Constant,
        },
        Regularization = settings.Regularization,
        Beta = settings.Beta,
        Magnitude = settings.Magnitude switch
        {
            Engine.Training.MagnitudeChoice.Median => Magnitude.Median,
            Engine.Training.MagnitudeChoice.Min => Magnitude.Min,
            Engine.Training.MagnitudeChoice.Max => Magnitude.Max,
            Engine.Training.MagnitudeChoice.Initializer => Magnitude.Initializer,
            Engine.Training.MagnitudeChoice.Value => Magnitude.Value,
            _ => Magnitude.Mean,
        },
        MagnitudeValue = settings.MagnitudeValue,
        MagnitudeValues = { settings.MagnitudeValues },
        Resolution = settings.Resolution,
        CenterCrop = settings.CenterCrop,
        RandomFlip = settings.RandomFlip,
        Seed = settings.Seed,
        PreviewEvery = settings.PreviewEvery,
        PreviewPrompts = { settings.PreviewPrompts },
        PreviewSteps = settings.PreviewSteps,
        Dtype = target.DtypeName,
        Device = target.DeviceName,
        Vae = vae,
        PredictionType = PredictionTypes.NameOf(settings.PredictionType),
    };

    /// <summary>The asked options with what the server had to choose filled in, so that the same run comes out again.</summary>
    public static TrainingOptions Pin(this TrainingOptions options, TrainingSettings settings)
    {
        var pinned = options.Clone();
        pinned.Model = settings.Model;
        pinned.Seed = settings.Seed;
        pinned.Dtype = settings.Dtype;
        return pinned;
    }

    public static GenerationSettings ToMessage(
        this ResolvedGeneration settings, string model, ComputeTarget target, GenerationOptions options, IEnumerable<string> concepts) => new()
        {
            Prompt = settings.Prompt,
            NegativePrompt = settings.NegativePrompt ?? "",
            Model = model,
            Width = settings.Width,
            Height = settings.Height,
            Steps = settings.Steps,
            GuidanceScale = settings.GuidanceScale,
            Scheduler = settings.Scheduler,
            Seed = settings.Seed,
            NumImages = settings.ImageCount,
            Format = options.Format == PictureFormat.Unspecified ? PictureFormat.Png : options.Format,
            Quality = options.HasQuality ? options.Quality : PictureEncoding.DefaultQuality,
            Dtype = target.DtypeName,
            Device = target.DeviceName,
            Concepts = { concepts },
            GuidanceRescale = settings.GuidanceRescale,
            ClipSkip = settings.ClipSkip,
            Vae = options.Vae,
            PredictionType = PredictionTypes.NameOf(settings.PredictionType),
            PromptSyntax = settings.PromptSyntax == Engine.Generation.PromptSyntax.Plain ? PromptSyntax.Plain : PromptSyntax.Weighted,
        };

    /// <summary>As <see cref="Pin(TrainingOptions, TrainingSettings)"/>.</summary>
    public static GenerationOptions Pin(this GenerationOptions options, GenerationSettings settings)
    {
        var pinned = options.Clone();
        pinned.Model = settings.Model;
        pinned.Seed = settings.Seed;
        pinned.Dtype = settings.Dtype;
        return pinned;
    }
}
