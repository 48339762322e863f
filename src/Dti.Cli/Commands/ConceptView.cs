using System.Globalization;
using Dti.Cli.Output;
using Dti.ClientSdk;

namespace Dti.Cli.Commands;

/// <summary>A concept as the command line shows it: without its thumbnail.</summary>
internal sealed record ConceptView(
    string Name,
    string Placeholder,
    int VectorCount,
    int Dimension,
    IReadOnlyList<double> Norms,
    string Family,
    string Model,
    DateTimeOffset? Created,
    TrainingSettings? Settings,
    string Owner,
    IReadOnlyList<string> IgnoredTensors,
    IReadOnlyList<string> TextEncoders
)
{
    public static ConceptView Of(Concept concept) =>
        new(
            concept.Name,
            concept.Placeholder,
            concept.VectorCount,
            concept.Dimension,
            concept.Norms,
            concept.Family,
            concept.Model,
            concept.Created,
            concept.Settings,
            concept.Owner,
            concept.IgnoredTensors,
            concept.TextEncoders
        );

    public static IEnumerable<IReadOnlyList<string>> Rows(Concept concept)
    {
        yield return ["name", concept.Name];
        yield return ["placeholder", concept.Placeholder];
        yield return ["vectors", $"{concept.VectorCount} of {concept.Dimension}"];
        yield return
        [
            "norms",
            string.Join(", ", concept.Norms.Select(norm => norm.ToString("F4", CultureInfo.InvariantCulture))),
        ];
        yield return ["family", concept.Family];
        if (concept.TextEncoders.Count > 0)
            yield return ["text encoders", string.Join("; ", concept.TextEncoders)];
        yield return ["owner", concept.Owner];
        yield return ["created", Dates.Show(concept.Created)];
        if (concept.IgnoredTensors.Count > 0)
            yield return ["ignored tensors", string.Join(", ", concept.IgnoredTensors)];
        if (concept.Settings is not { } settings)
            yield break;
        foreach (var (name, value) in SettingsTable.Of(settings).Where(setting => setting.Name != "placeholder"))
            yield return [name, value];
    }
}
