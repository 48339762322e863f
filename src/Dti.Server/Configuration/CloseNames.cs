namespace Dti.Server.Configuration;

/// <summary>Names that a mistyped one may have meant.</summary>
public static class CloseNames
{
    private const int MaxLength = 200; // a longer text is no mistyped name

    /// <summary>At most three, the closest first: spelt nearly alike, or one within the other.</summary>
    /// <param name="name">The mistyped name.</param>
    /// <param name="known">The names that there are.</param>
    public static IEnumerable<string> Of(string name, IEnumerable<string> known) =>
        name.Length > MaxLength
            ? []
            : known
                .Select(candidate =>
                    (candidate, distance: Distance(name.ToUpperInvariant(), candidate.ToUpperInvariant()))
                )
                .Where(pair =>
                    pair.distance <= Math.Max(2, name.Length / 3)
                    || pair.candidate.Contains(name, StringComparison.OrdinalIgnoreCase)
                    || (pair.candidate.Length > 2 && name.Contains(pair.candidate, StringComparison.OrdinalIgnoreCase))
                )
                .OrderBy(pair => pair.distance)
                .ThenBy(pair => pair.candidate, StringComparer.Ordinal)
                .Select(pair => pair.candidate)
                .Take(3);

    /// <summary>Levenshtein's distance; names are short.</summary>
    private static int Distance(string a, string b)
    {
        var row = Enumerable.Range(0, b.Length + 1).ToArray();
        for (var i = 1; i <= a.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substitute = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
                diagonal = row[j];
                row[j] = Math.Min(substitute, Math.Min(row[j], row[j - 1]) + 1);
            }
        }

        return row[^1];
    }
}
