namespace Dti.Engine.Checkpoints;

/// <summary>A tensor of the original layout, and the tensors of a component that it is made of.</summary>
/// <param name="Name">Its name in a single file.</param>
/// <param name="Shape">Its shape there.</param>
/// <param name="Parts">Names in the component: one, or those of q, k and v, one after the other.</param>
/// <param name="Transposed">A single file keeps the matrix the other way round.</param>
internal sealed record OriginalTensor(
    string Name,
    IReadOnlyList<long> Shape,
    IReadOnlyList<string> Parts,
    bool Transposed = false
)
{
    private static readonly string[] _fused = ["q_proj", "k_proj", "v_proj"];

    /// <summary>The inverse of <see cref="StoredTensor.Find"/>: what a single file contains of a component.</summary>
    /// <param name="rows">The component's rows of <see cref="OriginalLayout"/>.</param>
    /// <param name="prefix">Of the component's names in the file, with its dot.</param>
    /// <param name="shapes">Of the component's tensors, by name.</param>
    /// <param name="unknown">Names that no row knows.</param>
    public static List<OriginalTensor> Of(
        IEnumerable<LayoutRow> rows,
        string prefix,
        IReadOnlyDictionary<string, IReadOnlyList<long>> shapes,
        out List<string> unknown
    )
    {
        var known = rows.Where(row => !row.Old).ToDictionary(row => row.Canonical, StringComparer.Ordinal);
        var tensors = new List<OriginalTensor>();
        unknown = [];
        foreach (var (name, shape) in shapes)
        {
            if (Row(known, name) is not { } row)
            {
                unknown.Add(name);
                continue;
            }

            var rest = name[row.Canonical.Length..];
            var fused = Array.FindIndex(_fused, part =>
                row.FusesAttention && rest.StartsWith($".self_attn.{part}.", StringComparison.Ordinal)
            );
            if (fused > 0)
            {
                continue; // goes with q
            }

            string[] parts =
                fused < 0
                    ? [name]
                    : [.. _fused.Select(part => name.Replace(_fused[0], part, StringComparison.Ordinal))];
            rest = fused < 0 ? rest : rest.Replace($"{_fused[0]}.", "in_proj_", StringComparison.Ordinal);
            var (stored, transposed) = Stored(name, fused < 0 ? shape : [3 * shape[0], .. shape.Skip(1)]);
            tensors.Add(new OriginalTensor(prefix + row.Original + Renamed(row, rest), stored, parts, transposed));
        }

        return tensors;
    }

    private static LayoutRow? Row(Dictionary<string, LayoutRow> known, string name)
    {
        for (var end = name.Length; end > 0; end = name.LastIndexOf('.', end - 1))
        {
            if (known.TryGetValue(name[..end], out var row))
            {
                return row;
            }
        }

        return null;
    }

    private static string Renamed(LayoutRow row, string rest)
    {
        foreach (var (canonical, original) in row.Parts ?? [])
        {
            if (
                rest.StartsWith('.' + canonical, StringComparison.Ordinal)
                && (rest.Length == canonical.Length + 1 || rest[canonical.Length + 1] == '.')
            )
            {
                return '.' + original + rest[(canonical.Length + 1)..];
            }
        }

        return rest;
    }

    private static (IReadOnlyList<long> Shape, bool Transposed) Stored(string name, IReadOnlyList<long> shape) =>
        shape switch
        {
            [var rows, var columns] when name == "text_projection.weight" => ([columns, rows], true),
            [_, _]
                when name.Contains(".mid_block.attentions.", StringComparison.Ordinal)
                    && !name.Contains(".transformer_blocks.", StringComparison.Ordinal) => ([.. shape, 1, 1], false),
            _ => (shape, false),
        };
}
