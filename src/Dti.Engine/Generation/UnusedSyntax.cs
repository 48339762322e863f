using System.Text.RegularExpressions;

namespace Dti.Engine.Generation;

/// <summary>Syntax of other tools' prompts that has no effect here: it is read as words, as ComfyUI reads it.</summary>
internal static partial class UnusedSyntax
{
    private const int Shown = 6;
    private const int ShownLength = 60;

    /// <summary>A warning that names what a prompt holds of it; null: nothing.</summary>
    public static GenerationWarning? Warning(string prompt)
    {
        string[] found =
        [
            .. Patterns()
                .SelectMany(pattern => pattern.Matches(prompt))
                .OrderBy(match => match.Index)
                .Select(match => match.Value.Length > ShownLength ? match.Value[..ShownLength] + "…" : match.Value)
                .Distinct(StringComparer.Ordinal),
            .. Unbalanced(prompt) ? ["a parenthesis without its counterpart"] : Array.Empty<string>(),
        ];
        return found.Length == 0
            ? null
            : new GenerationWarning(
                "PROMPT_SYNTAX_UNUSED",
                "The prompt holds syntax that has no effect here and is read as words: "
                    + string.Join(", ", found.Take(Shown))
                    + (found.Length > Shown ? $" and {found.Length - Shown} more" : "")
                    + ". (word:1.2), <concept> and embedding:concept have one."
            );
    }

    private static Regex[] Patterns() => [Words(), Networks(), Brackets(), Wildcards(), Braces(), DecimalComma()];

    /// <summary>Whether a parenthesis is open at the end, or closed without having been opened.</summary>
    private static bool Unbalanced(string prompt)
    {
        var depth = 0;
        for (var i = 0; i < prompt.Length; i++)
        {
            if (prompt[i] == '\\')
            {
                i++; // \( and \) are parentheses of the text
            }
            else if (prompt[i] is '(')
            {
                depth++;
            }
            else if (prompt[i] is ')' && --depth < 0)
            {
                return true;
            }
        }

        return depth > 0;
    }

    // A1111: a new chunk, composed prompts.
    [GeneratedRegex(@"(?<![\p{L}\p{N}_])(BREAK|AND)(?![\p{L}\p{N}_])", RegexOptions.CultureInvariant)]
    private static partial Regex Words();

    [GeneratedRegex(
        @"<(lora|lyco|lycoris|hypernet|segment|embed|ti):[^<>]{1,200}>",
        RegexOptions.CultureInvariant | RegexOptions.IgnoreCase
    )]
    private static partial Regex Networks();

    // A1111: prompt editing, alternating words, less emphasis.
    [GeneratedRegex(@"(?<!\\)\[[^\[\]]{1,200}(?<!\\)\]", RegexOptions.CultureInvariant)]
    private static partial Regex Brackets();

    [GeneratedRegex(
        @"(?<![\p{L}\p{N}_])__[\p{L}\p{N}][\p{L}\p{N}_/*-]{0,100}?__(?![\p{L}\p{N}_])",
        RegexOptions.CultureInvariant
    )]
    private static partial Regex Wildcards();

    // Dynamic prompts' choices, NovelAI's emphasis.
    [GeneratedRegex(@"(?<!\\)\{[^{}]{1,200}(?<!\\)\}", RegexOptions.CultureInvariant)]
    private static partial Regex Braces();

    [GeneratedRegex(@"\([^()]{1,200}:\s*\d+,\d+\s*\)", RegexOptions.CultureInvariant)]
    private static partial Regex DecimalComma();
}
