using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using Dti.V1;
using Resolved = Dti.Engine.Training.TrainingSettings;
using ResolvedGeneration = Dti.Engine.Generation.GenerationSettings;

namespace Dti.Server.Mapping;

/// <summary>Resolved settings to messages, and back to options that leave nothing open.</summary>
internal static class SettingsMapping
{
    public static TrainingSettings ToMessage(
        this Resolved settings,
        TrainingOptions asked,
        string model,
        ComputeTarget target
    ) =>
        new()
        {
            Model = model,
            StartConcept = asked.StartConcept,
            Templates = { asked.Templates },
            UseAlpha = settings.UseAlpha,
            TextEncoders = EnumPairs.LearntEncoders.ToMessage(settings.Encoders),
            StopEarly = settings.StopEarly,
            CheckEvery = settings.CheckEvery,
            PreviewBaseline = settings.PreviewBaseline,
            SnapshotEvery = settings.SnapshotEvery,
            Kind = EnumPairs.Kinds.ToMessage(settings.Kind),
            Method = EnumPairs.Methods.ToMessage(settings.Method),
            Placeholder = settings.Placeholder,
            Initializer = settings.Initializer,
            InitializerTokens = { settings.InitializerTokens },
            NumVectors = settings.VectorCount,
            Steps = settings.Steps,
            BatchSize = settings.BatchSize,
            GradientAccumulation = settings.GradientAccumulation,
            LearningRate = settings.LearningRate,
            Kappa = settings.Kappa,
            KappaSchedule = EnumPairs.KappaSchedules.ToMessage(settings.KappaSchedule),
            Regularization = settings.Regularization,
            Beta = settings.Beta,
            Magnitude = EnumPairs.Magnitudes.ToMessage(settings.Magnitude),
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
            Vae = asked.Vae,
            PredictionType = PredictionTypes.NameOf(settings.PredictionType),
        };

    /// <summary>
    /// The asked options with what the server had to choose filled in, so that the same run comes out again.
    /// </summary>
    public static TrainingOptions Pin(this TrainingOptions options, TrainingSettings settings)
    {
        var pinned = options.Clone();
        pinned.Model = settings.Model;
        pinned.Seed = settings.Seed;
        pinned.Dtype = settings.Dtype;
        return pinned;
    }

    public static GenerationSettings ToMessage(
        this ResolvedGeneration settings,
        string model,
        ComputeTarget target,
        GenerationOptions options,
        IEnumerable<string> concepts
    ) =>
        new()
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
            PreviewEvery = settings.PreviewEvery,
            Vae = options.Vae,
            PredictionType = PredictionTypes.NameOf(settings.PredictionType),
            PromptSyntax = EnumPairs.PromptSyntaxes.ToMessage(settings.PromptSyntax),
            LongPrompts = EnumPairs.LongPrompts.ToMessage(settings.LongPrompts),
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
