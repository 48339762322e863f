using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using Dti.Settings;
using Dti.V1;
using Resolved = Dti.Engine.Training.TrainingSettings;
using ResolvedGeneration = Dti.Engine.Generation.GenerationSettings;

namespace Dti.Server.Mapping;

/// <summary>Resolved settings to messages, and back to options that leave nothing open.</summary>
[MapsSettings(typeof(Resolved))]
[MapsSettings(typeof(ResolvedGeneration))]
internal static partial class SettingsMapping
{
    public static TrainingSettings ToMessage(
        this Resolved settings,
        TrainingOptions asked,
        string model,
        ComputeTarget target
    )
    {
        var message = Declared(settings);
        message.Model = model;
        message.StartConcept = asked.StartConcept;
        message.Templates.Clear();
        message.Templates.Add(asked.Templates);
        message.Dtype = target.DtypeName;
        message.Device = target.DeviceName;
        message.Vae = asked.Vae;
        message.PredictionType = PredictionTypes.NameOf(settings.PredictionType);
        return message;
    }

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
    )
    {
        var message = Declared(settings);
        message.NegativePrompt = settings.NegativePrompt ?? "";
        message.Model = model;
        message.Format = options.Format == PictureFormat.Unspecified ? PictureFormat.Png : options.Format;
        message.Quality = options.HasQuality ? options.Quality : PictureEncoding.DefaultQuality;
        message.Dtype = target.DtypeName;
        message.Device = target.DeviceName;
        message.Concepts.Add(concepts);
        message.Vae = options.Vae;
        message.PredictionType = PredictionTypes.NameOf(settings.PredictionType);
        return message;
    }

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
