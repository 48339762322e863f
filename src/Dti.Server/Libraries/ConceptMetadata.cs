using System.Globalization;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Libraries;

/// <summary>What the header of a concept's file says of it.</summary>
internal static class ConceptMetadata
{
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
}
