namespace Dti.Engine.Checkpoints;

/// <summary>Where a file keeps a tensor of Dti's key space: a whole tensor of the file, or a part of one.</summary>
/// <param name="Entry">What to read: shape as Dti has it before <paramref name="Transposed"/>, and the bytes.</param>
/// <param name="Transposed">The file keeps a matrix the other way round.</param>
internal sealed record StoredTensor(SafetensorsEntry Entry, bool Transposed = false)
{
    /// <summary>The shape as Dti has it.</summary>
    public IReadOnlyList<long> Shape => Transposed ? [Entry.Shape[1], Entry.Shape[0]] : Entry.Shape;

    /// <summary>Looks up the tensors of a component in the original layout.</summary>
    /// <param name="rows">The component's rows of <see cref="OriginalLayout"/>.</param>
    /// <param name="prefix">Of the component's names in the file, with its dot.</param>
    /// <param name="tensors">The file's tensors.</param>
    /// <param name="unknown">Names below the prefix that no row knows.</param>
    /// <returns>By canonical name.</returns>
    public static Dictionary<string, StoredTensor> Find(
        IEnumerable<LayoutRow> rows,
        string prefix,
        IEnumerable<SafetensorsEntry> tensors,
        out List<string> unknown
    )
    {
        var known = rows.ToDictionary(row => row.Original, StringComparer.Ordinal);
        var found = new Dictionary<string, StoredTensor>(StringComparer.Ordinal);
        unknown = [];
        foreach (var entry in tensors.Where(entry => entry.Name.StartsWith(prefix, StringComparison.Ordinal)))
        {
            if (Canonical(known, entry.Name[prefix.Length..]) is not { } name)
            {
                unknown.Add(entry.Name);
                continue;
            }

            foreach (var (canonical, stored) in Shapes(name, entry))
            {
                found[canonical] = stored;
            }
        }

        return found;
    }

    private static string? Canonical(Dictionary<string, LayoutRow> known, string original)
    {
        for (var end = original.Length; end > 0; end = original.LastIndexOf('.', end - 1))
        {
            if (known.TryGetValue(original[..end], out var row))
            {
                return row.Canonical + Renamed(row, original[end..]);
            }
        }

        return null;
    }

    /// <param name="row">The module.</param>
    /// <param name="rest">With its dot; empty if the row is a tensor.</param>
    private static string Renamed(LayoutRow row, string rest)
    {
        foreach (var (canonical, original) in row.Parts ?? [])
        {
            if (
                rest.StartsWith('.' + original, StringComparison.Ordinal)
                && (rest.Length == original.Length + 1 || rest[original.Length + 1] == '.')
            )
            {
                return '.' + canonical + rest[(original.Length + 1)..];
            }
        }

        return rest;
    }

    private static IEnumerable<(string Name, StoredTensor Tensor)> Shapes(string name, SafetensorsEntry entry)
    {
        const string fused = ".in_proj_";
        if (
            name.IndexOf(fused, StringComparison.Ordinal) is >= 0 and var at
            && entry.Shape is [var rows, ..]
            && rows % 3 == 0
        )
        {
            var third = entry.Length / 3;
            return ((string[])["q", "k", "v"]).Select(
                (part, i) =>
                    (
                        $"{name[..at]}.{part}_proj.{name[(at + fused.Length)..]}",
                        new StoredTensor(
                            entry with
                            {
                                Shape = [rows / 3, .. entry.Shape.Skip(1)],
                                Begin = entry.Begin + (i * third),
                                Length = third,
                            }
                        )
                    )
            );
        }

        var stored =
            name == "text_projection.weight"
            && !entry.Name.EndsWith(".weight", StringComparison.Ordinal)
            && entry.Shape.Count == 2
                ? new StoredTensor(entry, Transposed: true)
            : entry.Shape is [_, _, 1, 1]
            && name.Contains(".mid_block.attentions.", StringComparison.Ordinal)
            && name.Contains(".to_", StringComparison.Ordinal)
                ? new StoredTensor(entry with { Shape = [entry.Shape[0], entry.Shape[1]] })
            : new StoredTensor(entry);
        return [(name, stored)];
    }
}
