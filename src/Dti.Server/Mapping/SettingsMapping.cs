using System.Collections;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using Dti.Settings;
using Dti.V1;
using Google.Protobuf;
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
        message.Templates.Add(
            asked.Templates.SequenceEqual(Engine.Training.PromptTemplates.For(settings.Kind)) ? [] : asked.Templates
        );
        message.Dtype = target.DtypeName;
        message.Device = target.DeviceName;
        message.Vae = asked.Vae;
        message.PredictionType = PredictionTypes.NameOf(settings.PredictionType);
        return message;
    }

    /// <summary>
    /// The asked options with every resolved setting filled in. Nothing is left to decide when the job starts, or
    /// starts again: neither new defaults nor an edited <c>dti.json</c> change it.
    /// </summary>
    public static TrainingOptions Pin(this TrainingOptions options, TrainingSettings settings, Resolved resolved)
    {
        var pinned = options.Clone();
        SetAll(pinned, settings);
        pinned.Templates.Clear();
        pinned.Templates.Add(options.Templates.Count > 0 ? options.Templates : resolved.Templates);
        if (settings.Magnitude != Magnitude.Value)
        {
            pinned.ClearMagnitudeValue(); // m follows from the vocabulary
        }

        if (!options.HasPlaceholder)
        {
            pinned.ClearPlaceholder(); // it follows from the name
        }

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
        message.OmitMetadata = options.OmitMetadata;
        message.Dtype = target.DtypeName;
        message.Device = target.DeviceName;
        message.Concepts.Add(concepts);
        message.Vae = options.Vae;
        message.PredictionType = PredictionTypes.NameOf(settings.PredictionType);
        return message;
    }

    /// <inheritdoc cref="Pin(TrainingOptions, TrainingSettings, Resolved)"/>
    public static GenerationOptions Pin(this GenerationOptions options, GenerationSettings settings)
    {
        var pinned = options.Clone();
        SetAll(pinned, settings);
        return pinned;
    }

    // Resolved settings have fields of the same names. An empty text says that there is none.
    private static void SetAll(IMessage options, IMessage settings)
    {
        foreach (var field in settings.Descriptor.Fields.InDeclarationOrder())
        {
            var value = field.Accessor.GetValue(settings);
            if (options.Descriptor.FindFieldByName(field.Name) is not { } option || value is "")
            {
                continue;
            }

            if (option.IsRepeated)
            {
                var list = (IList)option.Accessor.GetValue(options);
                list.Clear();
                foreach (var one in (IList)value)
                {
                    list.Add(one);
                }
            }
            else
            {
                option.Accessor.SetValue(options, value);
            }
        }
    }
}
