using Dti.Server.Security;
using Dti.V1;

namespace Dti.Server.Libraries;

/// <summary>A cache of the lists of concepts that callers see. It is emptied when the library changes.</summary>
internal sealed class CallerLists
{
    private const int Most = 16; // callers; an admin's list is as long as the library's
    private readonly Lock _lock = new();
    private readonly Dictionary<Caller, IReadOnlyList<Concept>> _lists = [];
    private IReadOnlyList<Concept> _all = [];

    /// <summary>The list of a caller.</summary>
    /// <param name="all">The library's list, which is replaced when it changes.</param>
    /// <param name="caller">The caller.</param>
    /// <param name="select">Selects what the caller sees.</param>
    public IReadOnlyList<Concept> Get(
        IReadOnlyList<Concept> all,
        Caller caller,
        Func<IReadOnlyList<Concept>, IReadOnlyList<Concept>> select
    )
    {
        lock (_lock)
        {
            if (ReferenceEquals(all, _all) && _lists.TryGetValue(caller, out var known))
            {
                return known;
            }
        }

        var selected = select(all);
        lock (_lock)
        {
            if (!ReferenceEquals(all, _all) || _lists.Count >= Most)
            {
                _lists.Clear();
            }

            _all = all;
            _lists[caller] = selected;
        }

        return selected;
    }
}
