using System.Diagnostics.CodeAnalysis;

namespace Dti.Server.Security;

/// <summary>Scopes as users write them: <c>read</c>, <c>generate</c>, <c>train</c>, <c>admin</c>.</summary>
internal static class ScopeNames
{
    private static readonly (string Name, Scopes Scope)[] _all =
    [
        ("read", Scopes.Read),
        ("generate", Scopes.Generate),
        ("train", Scopes.Train),
        ("admin", Scopes.Admin),
    ];

    /// <summary>All of them, for messages.</summary>
    public const string All = "read, generate, train or admin";

    public static IReadOnlyList<string> Of(Scopes scopes) =>
        [.. _all.Where(pair => scopes.HasFlag(pair.Scope)).Select(pair => pair.Name)];

    /// <summary>Reads names.</summary>
    /// <param name="names">In any order and case.</param>
    /// <param name="scopes">What they stand for together.</param>
    /// <param name="unknown">Those that stand for nothing, to be put between quotes.</param>
    public static bool TryParse(IEnumerable<string> names, out Scopes scopes, [NotNullWhen(false)] out string? unknown)
    {
        scopes = Scopes.None;
        var strangers = new List<string>();
        foreach (var name in names)
        {
            var scope = _all.FirstOrDefault(pair =>
                string.Equals(pair.Name, name, StringComparison.OrdinalIgnoreCase)
            ).Scope;
            scopes |= scope;
            if (scope == Scopes.None)
            {
                strangers.Add(name);
            }
        }

        unknown = strangers.Count == 0 ? null : string.Join("', '", strangers);
        return unknown is null;
    }
}
