using System.Globalization;
using Dti.Engine.Concepts;
using Dti.Engine.Training;
using Dti.Server.Configuration;
using Dti.V1;
using Google.Protobuf;
using TrainingMethod = Dti.V1.TrainingMethod;
using TrainingSettings = Dti.V1.TrainingSettings;

namespace Dti.Server.Libraries;

/// <summary>What the header of a concept's file says of it.</summary>
internal static class ConceptMetadata
{
    private const int MaxSettings = 8 * RequestBounds.MaxTexts; // characters; JSON may write one as six
    private const int MaxTextEncoders = 1000; // characters
    private const string TextEncodersKey = "dti.text_encoders";
    private const int HashLength = 65; // with its comma

    /// <summary>Reads what another version wrote, too: fields that it does not know are left out.</summary>
    public static JsonParser Reader { get; } = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <summary>
    /// How a concept was learnt, as far as the header of a file that Dti wrote says: the model, settings and hashes of
    /// photos.
    /// </summary>
    /// <remarks>
    /// Texts that no training could have written are left out: a description must stay readable, and the vectors are
    /// what counts.
    /// </remarks>
    public static Concept Read(IReadOnlyDictionary<string, string> header)
    {
        var model = header.GetValueOrDefault("dti.model", "");
        var photos = header.GetValueOrDefault("dti.photo_sha256", "");
        var encoders = header.GetValueOrDefault(TextEncodersKey, "");
        return new Concept
        {
            Model = model.Length <= RequestBounds.MaxName ? model : "",
            Settings = Settings(header.GetValueOrDefault("dti.settings", "")),
            TextEncoders =
            {
                encoders.Length <= MaxTextEncoders ? encoders.Split("; ", StringSplitOptions.RemoveEmptyEntries) : [],
            },
            PhotoSha256 =
            {
                photos.Length <= TrainingSet.MaxPhotos * HashLength
                    ? photos.Split(',', StringSplitOptions.RemoveEmptyEntries)
                    : [],
            },
        };
    }

    public static IReadOnlyDictionary<string, string> Of(Concept concept) =>
        new Dictionary<string, string>
        {
            ["dti.name"] = concept.Name,
            ["dti.placeholder"] = concept.Placeholder,
            [ConceptFile.FamilyKey] = concept.Family,
            [TextEncodersKey] = string.Join("; ", concept.TextEncoders),
            ["dti.model"] = concept.Model,
            ["dti.method"] = concept.Settings?.Method switch
            {
                null => "imported",
                TrainingMethod.Ti => "textual inversion",
                TrainingMethod.TiRescaled => "textual inversion, rescaled",
                TrainingMethod.TiRenormalized => "textual inversion, renormalized",
                TrainingMethod.TiSoftlyRenormalized => "textual inversion, softly renormalized",
                TrainingMethod.CrossInit => "cross initialization",
                _ => "directional textual inversion",
            },
            ["dti.magnitude"] = string.Join(
                ',',
                concept.Norms.Select(norm => norm.ToString("R", CultureInfo.InvariantCulture))
            ),
            ["dti.settings"] = concept.Settings is null ? "" : JsonFormatter.Default.Format(concept.Settings),
            ["dti.photo_sha256"] = string.Join(',', concept.PhotoSha256),
        };

    private static TrainingSettings? Settings(string json)
    {
        try
        {
            return
                json.Length is > 0 and <= MaxSettings
                && Reader.Parse<TrainingSettings>(json) is var settings
                && settings.CalculateSize() <= MaxSettings / 2
                ? settings
                : null;
        }
        catch (Exception error) when (error is InvalidProtocolBufferException or InvalidJsonException)
        {
            return null; // someone else's words; the vectors are what counts
        }
    }
}
