using Dti.V1;
using Google.Protobuf;

namespace Dti.Bench;

/// <summary>A concept of a library, of which there is only the description: enough for a list.</summary>
internal static class ListedConcept
{
    /// <summary>Writes the description of one concept.</summary>
    /// <param name="folder">The library's folder.</param>
    /// <param name="number">Which concept.</param>
    /// <param name="owner">The caller who owns it; empty: nobody.</param>
    public static void Write(string folder, int number, string owner = "")
    {
        var concept = new Concept
        {
            Name = $"concept-{number}",
            Placeholder = $"<concept-{number}>",
            NumVectors = 1,
            Dimension = 768,
            Norms = { 0.4 },
            Dimensions = { 768 },
            Family = "sd1",
            Model = "v1-5",
            Owner = owner,
        };
        File.WriteAllText(Path.Combine(folder, $"{concept.Name}.json"), JsonFormatter.Default.Format(concept));
    }
}
