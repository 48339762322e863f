using System.Text.RegularExpressions;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>
/// Prompts as diffusers' SanaPipeline gives them to Gemma: lower case, without surrounding spaces, <c>&lt;bos&gt;</c>, at most
/// 300 tokens, filled up on the right; on request with the pipeline's instruction before them. Thread-safe.
/// </summary>
internal sealed partial class GemmaTokenizer : ITokenizer
{
    /// <summary>States that the transformer sees of a prompt.</summary>
    public const int Length = 300;

    // The complex human instruction of SANA (arXiv 2410.10629, appendix), as diffusers' SanaPipeline has it by default.
    private static readonly string _instruction = string.Join(
        '\n',
        "Given a user prompt, generate an 'Enhanced prompt' that provides detailed visual descriptions suitable for image generation. Evaluate the level of detail in the user prompt:",
        "- If the prompt is simple, focus on adding specifics about colors, shapes, sizes, textures, and spatial relationships to create vivid and concrete scenes.",
        "- If the prompt is already detailed, refine and enhance the existing details slightly without overcomplicating.",
        "Here are examples of how to transform or refine prompts:",
        "- User Prompt: A cat sleeping -> Enhanced: A small, fluffy white cat curled up in a round shape, sleeping peacefully on a warm sunny windowsill, surrounded by pots of blooming red flowers.",
        "- User Prompt: A busy city street -> Enhanced: A bustling city street scene at dusk, featuring glowing street lamps, a diverse crowd of people in colorful clothing, and a double-decker bus passing by towering glass skyscrapers.",
        "Please generate only the enhanced description for the prompt below and avoid including any additional commentary or evaluations:",
        "User Prompt: "
    );

    private readonly GemmaVocabulary _vocabulary;
    private readonly Regex _added;
    private readonly int _start;
    private readonly string _prefix;
    private readonly int _prefixTokens; // of it, with the start

    private GemmaTokenizer(GemmaVocabulary vocabulary, string prefix)
    {
        (_vocabulary, _prefix) = (vocabulary, prefix);
        _added = ClipTokenizer.PatternOf(vocabulary.AddedTokens.Keys);
        _start = vocabulary.IdOf("<bos>");
        EosTokenId = vocabulary.IdOf("<eos>");
        PadTokenId = vocabulary.IdOf("<pad>");
        _prefixTokens = 1 + Encode(prefix, null).Count;
        WithInstruction = prefix.Length > 0 ? this : new GemmaTokenizer(vocabulary, _instruction);
    }

    /// <inheritdoc/>
    public int VocabularySize => _vocabulary.Count;

    /// <inheritdoc/>
    public int ModelMaxLength => Length;

    /// <inheritdoc/>
    public int EosTokenId { get; }

    /// <summary>The id of padding.</summary>
    public int PadTokenId { get; }

    /// <inheritdoc/>
    public ITokenizer WithInstruction { get; }

    /// <summary>A concept's tokens follow each other without spaces, which are tokens themselves.</summary>
    public string ConceptSeparator => "";

    /// <summary>Ids of a row that the text encoder reads; the transformer sees the first and the last 299.</summary>
    private int RowLength => Length + Math.Max(0, _prefixTokens - 2);

    /// <summary>
    /// Loads a tokenizer's folder: its <c>tokenizer.json</c>, or where it has none <c>tokenizer.model</c>.
    /// </summary>
    /// <exception cref="DtiException">It is missing, too large or not valid.</exception>
    public static GemmaTokenizer Load(string folder) => new(GemmaVocabulary.Read(folder), "");

    /// <inheritdoc/>
    public IReadOnlyList<int> Encode(string text) => Encode(text, null);

    /// <inheritdoc/>
    public TokenizedPrompt Tokenize(IReadOnlyList<string> pieces, PlaceholderTokens? placeholders, out int[] pieceOf)
    {
        var ids = new List<int> { _start };
        var owners = new List<int> { -1 };
        foreach (var (piece, text) in Spelt(pieces).Index())
        {
            var own = Encode((piece == 0 ? _prefix : "") + text, placeholders);
            // the prefix's last token may have become one with the prompt's first
            var before = piece == 0 ? _prefixTokens - 2 : 0;
            owners.AddRange(own.Select((_, i) => i < before ? -1 : piece));
            ids.AddRange(own);
        }

        var row = new int[RowLength];
        Array.Fill(row, PadTokenId);
        ids.Take(row.Length).ToArray().CopyTo(row, 0);
        var hidden = row.Length - Length; // between the first state and the last 299
        pieceOf = new int[Length];
        Array.Fill(pieceOf, -1);
        for (var i = 1; i < Length && i + hidden < owners.Count; i++)
        {
            pieceOf[i] = owners[i + hidden];
        }

        return new TokenizedPrompt(row, ids.Count - hidden, Text(ids.Skip(row.Length), placeholders).Trim());
    }

    /// <inheritdoc/>
    public string TextOf(int id) =>
        _vocabulary[id].Replace(GemmaVocabulary.Space, ' ') is var text && text.Trim(' ') is { Length: > 0 } word
            ? word
            : text;

    /// <inheritdoc/>
    public bool Knows(string token) =>
        _vocabulary.Contains(token) || _vocabulary.Contains(GemmaVocabulary.Space + token);

    /// <summary>Lower case, as Python writes it.</summary>
    public string Normalized(string text) =>
        FinalSigma().Replace(text.Replace("İ", "i̇", StringComparison.Ordinal), "ς").ToLowerInvariant();

    /// <summary>The ids of a text as it is, whatever its case.</summary>
    internal List<int> Encode(string text, PlaceholderTokens? placeholders)
    {
        var ids = new List<int>();
        Split(
            _vocabulary.MatchesSpaces ? text.Replace(' ', GemmaVocabulary.Space) : text,
            _added,
            token => ids.Add(_vocabulary.AddedTokens[token]),
            rest =>
                Split(
                    rest,
                    placeholders is { Count: > 0 } ? ClipTokenizer.PatternOf(placeholders.NormalizedTokens) : null,
                    token => ids.Add(placeholders!.IdOf(token)),
                    words => _vocabulary.Encode(words.Replace(' ', GemmaVocabulary.Space), ids)
                )
        );
        return ids;
    }

    /// <summary>
    /// Pieces in lower case, without spaces at either end. Spaces between two pieces begin the second, as they begin a
    /// word in the vocabulary.
    /// </summary>
    private string[] Spelt(IReadOnlyList<string> pieces)
    {
        string[] spelt = [.. pieces.Select(Normalized)];
        for (var i = 0; i < spelt.Length; i++)
        {
            var text = i == 0 ? spelt[i].TrimStart() : spelt[i];
            spelt[i] = text.TrimEnd();
            if (i < spelt.Length - 1)
            {
                spelt[i + 1] = text[spelt[i].Length..] + spelt[i + 1];
            }
        }

        return spelt;
    }

    private string Text(IEnumerable<int> ids, PlaceholderTokens? placeholders) =>
        string.Concat(ids.Select(id => id < _vocabulary.Count ? _vocabulary.Text([id]) : placeholders!.TokenOf(id)));

    private static void Split(string text, Regex? pattern, Action<string> matched, Action<string> between)
    {
        var at = 0;
        foreach (var match in pattern?.Matches(text) ?? Enumerable.Empty<Match>())
        {
            between(text[at..match.Index]);
            matched(match.Value);
            at = match.Index + match.Length;
        }

        between(text[at..]);
    }

    // Python's str.lower writes Σ as ς at the end of a word.
    [GeneratedRegex(@"(?<=\p{L}\p{M}*)Σ(?!\p{M}*\p{L})", RegexOptions.CultureInvariant)]
    private static partial Regex FinalSigma();
}
