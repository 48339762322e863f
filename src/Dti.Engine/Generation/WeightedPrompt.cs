using System.Globalization;
using System.Text;

namespace Dti.Engine.Generation;

/// <summary>A piece of a prompt and its weight.</summary>
/// <param name="Text">The text, escapes resolved.</param>
/// <param name="Weight">1: as it is.</param>
internal readonly record struct PromptPiece(string Text, double Weight);

/// <summary>
/// Weights in prompts as ComfyUI reads them (comfy/sd1_clip.py, <c>token_weights</c>): parentheses multiply by 1.1, a
/// number after the last colon within them is the weight itself, whatever is around; inner parentheses count from
/// there. <c>\(</c> and <c>\)</c> are parentheses.
/// </summary>
internal static class WeightedPrompt
{
    private const double Emphasis = 1.1;
    private const char EscapedOpen = '\uE000'; // private use: stand for \( and \) until weights are read
    private const char EscapedClose = '\uE001';

    /// <summary>The pieces, in order.</summary>
    public static IReadOnlyList<PromptPiece> Parse(string prompt)
    {
        var pieces = new List<PromptPiece>();
        Read(
            prompt
                .Replace(@"\)", $"{EscapedClose}", StringComparison.Ordinal)
                .Replace(@"\(", $"{EscapedOpen}", StringComparison.Ordinal),
            1,
            pieces
        );
        return pieces;
    }

    private static void Read(string text, double weight, List<PromptPiece> pieces)
    {
        foreach (var part in Parts(text))
        {
            if (part is not ['(', .. var inner, ')'])
            {
                pieces.Add(new PromptPiece(part.Replace(EscapedClose, ')').Replace(EscapedOpen, '('), weight));
                continue;
            }

            var colon = inner.LastIndexOf(':');
            if (
                colon > 0
                && double.TryParse(
                    inner.AsSpan(colon + 1),
                    NumberStyles.Float,
                    CultureInfo.InvariantCulture,
                    out var stated
                )
                && double.IsFinite(stated)
            )
            {
                Read(inner[..colon], stated, pieces);
            }
            else
            {
                Read(inner, weight * Emphasis, pieces);
            }
        }
    }

    /// <summary>Cuts a text at its outermost parentheses, which stay.</summary>
    private static IEnumerable<string> Parts(string text)
    {
        var part = new StringBuilder();
        var depth = 0;
        foreach (var letter in text)
        {
            if (letter == '(' && depth++ == 0 && part.Length > 0)
            {
                yield return part.ToString();
                part.Clear();
            }

            part.Append(letter);
            if (letter == ')' && --depth == 0)
            {
                yield return part.ToString();
                part.Clear();
            }
        }

        if (part.Length > 0)
        {
            yield return part.ToString();
        }
    }
}
