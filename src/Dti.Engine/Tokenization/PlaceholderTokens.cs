using System.Text.RegularExpressions;

namespace Dti.Engine.Tokenization;

/// <summary>
/// Tokens that stand for learnt vectors: <c>&lt;cat&gt;</c>, <c>&lt;cat&gt;_1</c>, …, with ids from V on in order of
/// adding. They match without surrounding spaces and in any case, the longest first, as added tokens of the
/// tokenizers library do.
/// </summary>
public sealed partial class PlaceholderTokens
{
    private readonly int _vocabularySize;
    private readonly List<string> _tokens = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal); // by normalised token
    private readonly Func<string, string> _normalized;
    private readonly string _separator;

    /// <summary>Starts with none.</summary>
    /// <param name="vocabularySize">V.</param>
    /// <param name="normalized">A text as the tokenizer compares it; null: as CLIP's does.</param>
    /// <param name="separator">What stands between the tokens of a concept in prompts.</param>
    public PlaceholderTokens(int vocabularySize, Func<string, string>? normalized = null, string separator = " ") =>
        (_vocabularySize, _normalized, _separator) = (vocabularySize, normalized ?? ClipTokenizer.Normalize, separator);

    /// <summary>How many there are.</summary>
    public int Count => _tokens.Count;

    internal IEnumerable<string> NormalizedTokens => _ids.Keys;

    /// <summary>Adds a concept's tokens.</summary>
    /// <param name="placeholder"><c>&lt;cat&gt;</c></param>
    /// <param name="vectors">How many tokens.</param>
    /// <returns>Their ids.</returns>
    /// <exception cref="DtiException">One of them is there already.</exception>
    public IReadOnlyList<int> Add(string placeholder, int vectors)
    {
        var ids = new int[vectors];
        for (var i = 0; i < vectors; i++)
        {
            var token = Name(placeholder, i);
            ids[i] = _vocabularySize + _tokens.Count;
            if (!_ids.TryAdd(_normalized(token), ids[i]))
            {
                throw new DtiException(
                    ErrorKind.InvalidArgument,
                    $"Two concepts are both called {token}; capitals make no difference.",
                    "placeholder"
                );
            }

            _tokens.Add(token);
        }

        return ids;
    }

    /// <summary>
    /// Spells out concepts of several vectors: <c>&lt;cat&gt;</c> becomes <c>&lt;cat&gt; &lt;cat&gt;_1</c> (diffusers'
    /// <c>maybe_convert_prompt</c>, which does so again where the prompt holds them already). Where tokens are joined
    /// without a space, which diffusers does not do by itself, those that the prompt already contains stay as they are.
    /// </summary>
    public string Expand(string prompt)
    {
        if (Count == 0)
        {
            return prompt;
        }

        var found = ClipTokenizer
            .PatternOf(_ids.Keys)
            .Matches(_normalized(prompt))
            .Select(match => _tokens[_ids[match.Value] - _vocabularySize]);
        foreach (var token in found.Distinct().ToArray())
        {
            var rest = "";
            for (var i = 1; _tokens.Contains(Name(token, i)); i++)
            {
                rest += _separator + Name(token, i);
            }

            var all = token + rest;
            if (rest.Length > 0 && _separator.Length == 0)
            {
                prompt = Regex.Replace(
                    prompt,
                    $"{Regex.Escape(token)}(?!_|{Regex.Escape(rest)})",
                    all,
                    RegexOptions.IgnoreCase | RegexOptions.CultureInvariant
                );
            }
            else if (rest.Length > 0)
            {
                // tokens match whatever their case
                prompt = prompt.Replace(token, all, StringComparison.OrdinalIgnoreCase);
            }
        }

        return prompt;
    }

    /// <summary>
    /// A concept as training captions hold it: <c>&lt;cat&gt;&lt;cat&gt;_1</c>, without spaces, as the reference
    /// implementation.
    /// </summary>
    public static string Identifier(string placeholder, int vectors) =>
        string.Concat(Enumerable.Range(0, vectors).Select(i => Name(placeholder, i)));

    /// <summary>Checks a placeholder: <c>&lt;identifier&gt;</c>, and not a token that the vocabulary has.</summary>
    /// <exception cref="DtiException">It is not.</exception>
    public static void Validate(string placeholder, ITokenizer tokenizer)
    {
        if (tokenizer.Knows(placeholder))
        {
            throw new DtiException(
                ErrorKind.InvalidArgument,
                $"placeholder '{placeholder}' is a token of the model's vocabulary already; choose one like <my-{placeholder.Trim('<', '>', '|')}>.",
                "placeholder"
            );
        }

        if (!Shape().IsMatch(placeholder))
        {
            throw new DtiException(
                ErrorKind.InvalidArgument,
                "placeholder must be like <my-cat>: angle brackets around 1 to 64 letters, digits, '-' or '_'.",
                "placeholder"
            );
        }
    }

    internal int IdOf(string normalizedToken) => _ids[normalizedToken];

    internal string TokenOf(int id) => _tokens[id - _vocabularySize];

    private static string Name(string placeholder, int index) => index == 0 ? placeholder : $"{placeholder}_{index}";

    [GeneratedRegex("^<[A-Za-z0-9_-]{1,64}>$", RegexOptions.CultureInvariant)]
    private static partial Regex Shape();
}
