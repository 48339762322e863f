using System.Text.RegularExpressions;

namespace Dti.Server.Libraries;

/// <summary>Names of concepts: identifiers that are also safe file names everywhere, never paths.</summary>
internal static partial class ConceptNames
{
    /// <summary>What a name must be, for messages.</summary>
    public const string Rule = "1 to 64 letters, digits, '-' or '_', beginning with a letter or digit";

    private static readonly HashSet<string> _windowsDevices = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON",
        "PRN",
        "AUX",
        "NUL",
        "COM1",
        "COM2",
        "COM3",
        "COM4",
        "COM5",
        "COM6",
        "COM7",
        "COM8",
        "COM9",
        "LPT1",
        "LPT2",
        "LPT3",
        "LPT4",
        "LPT5",
        "LPT6",
        "LPT7",
        "LPT8",
        "LPT9",
    };

    public static bool IsValid(string name) => Shape().IsMatch(name) && !_windowsDevices.Contains(name);

    /// <summary>
    /// Whether a prompt could mean either of two concepts: names and placeholders are compared without case, and
    /// <c>embedding:NAME</c> is read as a placeholder.
    /// </summary>
    /// <param name="name">The name of one.</param>
    /// <param name="placeholder">Its placeholder; empty: the one of its name.</param>
    /// <param name="otherName">The name of the other.</param>
    /// <param name="otherPlaceholder">Its placeholder; empty: the one of its name.</param>
    public static bool AreAmbiguous(string name, string placeholder, string otherName, string otherPlaceholder)
    {
        return Same(name, otherName)
            || (placeholder.Length > 0 && IsTokenOf(placeholder, otherName))
            || (otherPlaceholder.Length > 0 && IsTokenOf(otherPlaceholder, name))
            || (placeholder.Length > 0 && Same(placeholder, otherPlaceholder));

        static bool Same(ReadOnlySpan<char> one, ReadOnlySpan<char> two) =>
            one.Equals(two, StringComparison.OrdinalIgnoreCase);

        // without a string for it: a submission compares its name with those of thousands of queued trainings
        static bool IsTokenOf(string placeholder, string name) =>
            placeholder.Length == name.Length + 2
            && placeholder[0] == '<'
            && placeholder[^1] == '>'
            && Same(placeholder.AsSpan(1, name.Length), name);
    }

    /// <summary>Concept tokens in a prompt: <c>&lt;my-cat&gt;</c>.</summary>
    public static IEnumerable<string> In(string prompt) =>
        Token().Matches(prompt).Select(match => match.Value).Distinct(StringComparer.OrdinalIgnoreCase);

    /// <summary>
    /// Replaces <c>embedding:NAME</c> as ComfyUI reads it (comfy/sd1_clip.py): the name ends at white space, at a
    /// parenthesis, or at the
    /// <c>:</c> of a weight; commas at its end and a file's ending are no part of it.
    /// </summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="placeholderOf">The placeholder of the concept of a name; null: there is none.</param>
    /// <param name="missing">The error for a name of which there is none.</param>
    public static string ReplaceEmbeddings(
        string prompt,
        Func<string, string?> placeholderOf,
        Func<string, Exception> missing
    ) =>
        Embedding()
            .Replace(prompt, match =>
            {
                var name = match.Groups["name"].Value;
                var end = match.Index + match.Length;
                var weight = end < prompt.Length && prompt[end] == ')' ? Weight().Match(name).Value : "";
                name = name[..^weight.Length];
                var bare = name.TrimEnd(',');
                foreach (var candidate in new[] { bare, FileEnding().Replace(bare, "") })
                {
                    if (placeholderOf(candidate) is { } placeholder)
                    {
                        return placeholder + name[bare.Length..] + weight;
                    }
                }

                throw missing(bare);
            });

    /// <summary>The first <c>embedding:NAME</c> in a prompt; null: there is none.</summary>
    public static string? EmbeddingIn(string prompt) =>
        Embedding().Match(prompt) is { Success: true } match ? match.Value : null;

    [GeneratedRegex(
        @"(?<![A-Za-z0-9_])embedding:(?<name>(\\[()]|[^\s()])+)",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase | RegexOptions.ExplicitCapture
    )]
    private static partial Regex Embedding();

    [GeneratedRegex(@":[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Weight();

    [GeneratedRegex(@"\.(safetensors|pt|bin)\z", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex FileEnding();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Shape();

    [GeneratedRegex("<[A-Za-z0-9_-]{1,64}>", RegexOptions.CultureInvariant)]
    private static partial Regex Token();
}
