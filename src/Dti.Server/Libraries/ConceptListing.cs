using Dti.V1;

namespace Dti.Server.Libraries;

/// <summary>Entries of an index by the names of their files, and the list of their concepts. Not thread-safe.</summary>
internal sealed class ConceptListing
{
    private const int MaxSingleChanges = 16; // more are cheaper together
    private readonly Dictionary<string, ConceptIndexEntry> _entries = new(StringComparer.Ordinal);
    private string[] _names = []; // of files, in the order of the concepts
    private Concept[] _concepts = [];

    /// <summary>How many entries there are.</summary>
    public int Count => _entries.Count;

    /// <summary>All entries.</summary>
    public IEnumerable<ConceptIndexEntry> Entries => _entries.Values;

    /// <summary>The readable concepts by the names of their files. It is replaced when they change.</summary>
    public IReadOnlyList<Concept> Concepts => _concepts;

    /// <summary>Removes all.</summary>
    public void Clear()
    {
        _entries.Clear();
        (_names, _concepts) = ([], []);
    }

    /// <summary>Adds, replaces or removes entries, in their order.</summary>
    public void Apply(IReadOnlyList<ConceptIndexEntry> entries)
    {
        foreach (var entry in entries)
        {
            if (entry.IsGone)
            {
                _entries.Remove(entry.Name);
            }
            else
            {
                _entries[entry.Name] = entry;
            }
        }

        if (entries.Count > MaxSingleChanges)
        {
            (_names, _concepts) = (
                [.. _entries.Values.Where(entry => entry.Concept is not null).Select(entry => entry.Name)],
                [.. _entries.Values.Where(entry => entry.Concept is not null).Select(entry => entry.Concept!)]
            );
            Array.Sort(_names, _concepts, StringComparer.Ordinal);
            return;
        }

        foreach (var entry in entries)
        {
            ApplyOne(entry.Name, entry.Concept);
        }
    }

    private void ApplyOne(string name, Concept? concept)
    {
        var at = Array.BinarySearch(_names, name, StringComparer.Ordinal);
        var (start, end) = at < 0 ? (~at, ~at) : (at, at + 1);
        if (concept is null)
        {
            (_names, _concepts) = (
                [.. _names.AsSpan(0, start), .. _names.AsSpan(end)],
                [.. _concepts.AsSpan(0, start), .. _concepts.AsSpan(end)]
            );
        }
        else
        {
            (_names, _concepts) = (
                [.. _names.AsSpan(0, start), name, .. _names.AsSpan(end)],
                [.. _concepts.AsSpan(0, start), concept, .. _concepts.AsSpan(end)]
            );
        }
    }
}
