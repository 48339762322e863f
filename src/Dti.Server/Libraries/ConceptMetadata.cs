using System.Globalization;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Libraries;

/// <summary>What the header of a concept's file says of it.</summary>
internal static class ConceptMetadata
{
    /// <summary>Reads what another version wrote, too: fields that it does not know are left out.</summary>
    public static JsonParser Reader { get; } = new(JsonParser.Settings.Default.WithIgnoreUnknownFields(true));

    /// <summary>How a concept was learnt, as far as the header of a file that Dti wrote says: the model, settings and hashes of photos.</summary>
    public static Concept Read(IReadOnlyDictionary<string, string> header) => new()
    {
        Model = header.GetValueOrDefault("dti.model", ""),
        Settings = Settings(header.GetValueOrDefault("dti.settings", "")),
        PhotoSha256 = { header.GetValueOrDefault("dti.photo_sha256", "").Split(',', StringSplitOptions.RemoveEmptyEntries) },
    };

    public static IReadOnlyDictionary<string, string> Of(Concept concept) => new Dictionary<string, string>
    {
        ["dti.name"] = concept.Name,
        ["dti.placeholder"] = concept.Placeholder,
        ["dti.family"] = concept.Family,
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
        ["dti.magnitude"] = string.Join(',', concept.Norms.Select(norm => norm.ToString("R", CultureInfo.InvariantCulture))),
        ["dti.settings"] = concept.Settings is null ? "" : JsonFormatter.Default.Format(concept.Settings),
        ["dti.photo_sha256"] = string.Join(',', concept.PhotoSha256),
    };

    private static TrainingSettings? Settings(string json)
    {
        try
        {
            return json.Length > 0 ? Reader.Parse<TrainingSettings>(json) : null;
        }
        catch (Exception error) when (error is InvalidProtocolBufferException or InvalidJsonException)
        {
            return null; // someone else's words; the vectors are what counts
        }
    }
}
