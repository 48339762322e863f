using System.Text.RegularExpressions;

namespace Dti.Server.Libraries;

/// <summary>Names of concepts: identifiers that are also safe file names everywhere, never paths.</summary>
internal static partial class ConceptNames
{
    /// <summary>What a name must be, for messages.</summary>
    public const string Rule = "1 to 64 letters, digits, '-' or '_', beginning with a letter or digit";

    private static readonly HashSet<string> _windowsDevices = new(StringComparer.OrdinalIgnoreCase)
    {
        "CON", "PRN", "AUX", "NUL", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9",
        "LPT1", "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9",
    };

    public static bool IsValid(string name) => Shape().IsMatch(name) && !_windowsDevices.Contains(name);

    /// <summary>Concept tokens in a prompt: <c>&lt;my-cat&gt;</c>.</summary>
    public static IEnumerable<string> In(string prompt) => Token().Matches(prompt).Select(match => match.Value).Distinct(StringComparer.OrdinalIgnoreCase);

    /// <summary>Replaces <c>embedding:NAME</c>, with or without a file's ending, as ComfyUI writes it.</summary>
    public static string ReplaceEmbeddings(string prompt, Func<string, string> placeholderOf) =>
        Embedding().Replace(prompt, match => placeholderOf(match.Groups["name"].Value));

    [GeneratedRegex(@"(?<![A-Za-z0-9_])embedding:(?<name>[A-Za-z0-9][A-Za-z0-9_-]{0,63})(\.safetensors|\.pt|\.bin)?", RegexOptions.CultureInvariant | RegexOptions.IgnoreCase)]
    private static partial Regex Embedding();

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9_-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Shape();

    [GeneratedRegex("<[A-Za-z0-9_-]{1,64}>", RegexOptions.CultureInvariant)]
    private static partial Regex Token();
}
