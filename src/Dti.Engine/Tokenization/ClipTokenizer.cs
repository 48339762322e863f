using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dti.Engine.Configs;
using Dti.Engine.Runtime.Files;
using Microsoft.ML.Tokenizers;

namespace Dti.Engine.Tokenization;

/// <summary>A tokenised prompt.</summary>
/// <param name="InputIds">Start, text, end, padding: as many ids as the model reads, 77.</param>
/// <param name="TokenCount">Ids before cutting and padding, start and end included.</param>
/// <param name="CutText">The words that did not fit; empty when all did.</param>
public sealed record TokenizedPrompt(IReadOnlyList<int> InputIds, int TokenCount, string CutText);

/// <summary>
/// CLIP's byte-level BPE as the tokenizers library runs it for diffusers: NFC, white space collapsed, lower case, words
/// by CLIP's pattern. Thread-safe.
/// </summary>
public sealed partial class ClipTokenizer : ITokenizer
{
    private const string EndOfWord = "</w>";
    private const long MaxVocabularyBytes = 64 * 1024 * 1024;
    private const int LongPiece = 8; // tokens from which ComfyUI divides a piece (max_word_length)
    private readonly BpeTokenizer _bpe;
    private readonly IReadOnlyDictionary<string, int> _ids;
    private readonly string[] _tokens;
    private readonly Dictionary<string, int> _rawTokens = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _normalizedTokens = new(StringComparer.Ordinal);
    private readonly Regex _rawPattern;
    private readonly Regex _normalizedPattern;

    private ClipTokenizer(
        string source,
        IReadOnlyDictionary<string, int> ids,
        JsonDocument config,
        Func<BpeOptions> options
    )
    {
        _ids = ids;
        _tokens = new string[_ids.Count];
        foreach (var (token, id) in _ids)
        {
            _tokens[id] = token;
        }

        var bos = SpecialToken(config, "bos_token", "<|startoftext|>");
        var eos = SpecialToken(config, "eos_token", "<|endoftext|>");
        var pad = SpecialToken(config, "pad_token", eos.Token);
        BosTokenId = Id(bos.Token, source);
        EosTokenId = Id(eos.Token, source);
        PadTokenId = Id(pad.Token, source);
        ModelMaxLength =
            config.RootElement.TryGetProperty("model_max_length", out var max)
            && max.TryGetInt32(out var length)
            && length is >= 3 and <= 4096
                ? length
                : 77;

        // Given as a plain text, a special token is looked for in the prompt as it is; given as an object, in the
        // normalised prompt if that says so. The last definition of a token holds.
        foreach (var (token, normalized) in new[] { bos, eos, pad })
        {
            _rawTokens.Remove(token);
            _normalizedTokens.Remove(Normalize(token));
            if (normalized)
            {
                _normalizedTokens.Add(Normalize(token), _ids[token]);
            }
            else
            {
                _rawTokens.Add(token, _ids[token]);
            }
        }

        _rawPattern = PatternOf(_rawTokens.Keys);
        _normalizedPattern = PatternOf(_normalizedTokens.Keys);
        try
        {
            var bpe = options();
            bpe.EndOfWordSuffix = EndOfWord;
            bpe.UnknownToken = eos.Token;
            _bpe = BpeTokenizer.Create(bpe);
        }
        catch (Exception error)
            when (error is ArgumentException or InvalidOperationException or FormatException or IOException)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{source}: its merges do not go with its vocabulary: {error.Message}",
                innerException: error
            );
        }
    }

    /// <summary>What a tokenizer's folder holds; not all of it is needed.</summary>
    internal static IReadOnlyList<string> Files { get; } =
    ["vocab.json", "merges.txt", "tokenizer_config.json", "special_tokens_map.json"];

    /// <summary>V: the ids of placeholder tokens begin here.</summary>
    public int VocabularySize => _tokens.Length;

    /// <summary>The id at the start of every prompt.</summary>
    public int BosTokenId { get; }

    /// <summary>The id at the end of text.</summary>
    public int EosTokenId { get; }

    /// <summary>The id of padding.</summary>
    public int PadTokenId { get; }

    /// <summary>Ids that the model reads: 77.</summary>
    public int ModelMaxLength { get; }

    /// <summary>
    /// Loads a tokenizer folder: <c>vocab.json</c>, <c>merges.txt</c>, <c>tokenizer_config.json</c>; or where the first
    /// two are missing
    /// <c>tokenizer.json</c>, which holds them too and is all that transformers 5 saves.
    /// </summary>
    /// <exception cref="DtiException">A file is missing, too large or not valid.</exception>
    public static ClipTokenizer Load(string folder)
    {
        var whole = Path.Combine(folder, "tokenizer.json");
        if (
            File.Exists(whole)
            && !(File.Exists(Path.Combine(folder, "vocab.json")) && File.Exists(Path.Combine(folder, "merges.txt")))
        )
        {
            using var settings = ReadSpecialTokens(folder);
            var (ids, pairs) = ReadWhole(whole);
            return new(folder, ids, settings, () => new BpeOptions(ids) { Merges = pairs });
        }

        var vocabulary = Bounded(Path.Combine(folder, "vocab.json"));
        var merges = Bounded(Path.Combine(folder, "merges.txt"));
        using var config = ReadSpecialTokens(folder);
        return new(folder, ReadVocabulary(vocabulary), config, () => new BpeOptions(vocabulary, merges));
    }

    /// <summary>The tokenizer that CLIP was published with, for models that bring none.</summary>
    /// <param name="padToken">The token of padding: the end of text for OpenAI's encoder, <c>!</c> for OpenCLIP's.</param>
    public static ClipTokenizer Published(string padToken = "<|endoftext|>")
    {
        using var config = JsonDocument.Parse(PublishedConfig(padToken));
        return new("the published vocabulary", PublishedVocabulary.Ids, config, () =>
            new BpeOptions(PublishedVocabulary.Ids) { Merges = PublishedVocabulary.Merges }
        );
    }

    /// <summary>Writes that tokenizer as a folder that <see cref="Load"/>, transformers and diffusers read.</summary>
    /// <param name="folder">Where to; it is there.</param>
    /// <param name="padToken">As for <see cref="Published"/>.</param>
    /// <exception cref="DtiException">The disk is full, or the folder cannot be written.</exception>
    internal static void WritePublished(string folder, string padToken)
    {
        AtomicFile.WriteAllText(Path.Combine(folder, Files[0]), JsonSerializer.Serialize(PublishedVocabulary.Ids));
        AtomicFile.WriteAllText(
            Path.Combine(folder, Files[1]),
            $"#version: 0.2\n{string.Join('\n', PublishedVocabulary.Merges)}\n"
        );
        AtomicFile.WriteAllText(Path.Combine(folder, Files[2]), PublishedConfig(padToken));
    }

    /// <summary>The ids of the text alone: no start, no end, no padding.</summary>
    public IReadOnlyList<int> Encode(string text) => Encode(text, null);

    /// <summary>The ids of a prompt in pieces, each spelt for itself.</summary>
    /// <param name="pieces">The texts.</param>
    /// <param name="placeholders">Concept tokens that they may hold.</param>
    /// <param name="pieceOf">For each id which piece it comes from; −1: start, end and padding.</param>
    public TokenizedPrompt Tokenize(IReadOnlyList<string> pieces, PlaceholderTokens? placeholders, out int[] pieceOf)
    {
        var room = ModelMaxLength - 2;
        var ids = new List<int>();
        pieceOf = new int[ModelMaxLength];
        Array.Fill(pieceOf, -1);
        foreach (var (piece, text) in pieces.Index())
        {
            var own = Encode(text, placeholders);
            pieceOf.AsSpan(Math.Min(ids.Count, room) + 1, Math.Clamp(room - ids.Count, 0, own.Count)).Fill(piece);
            ids.AddRange(own);
        }

        var input = new int[ModelMaxLength];
        Array.Fill(input, PadTokenId);
        input[0] = BosTokenId;
        for (var i = 0; i < Math.Min(ids.Count, room); i++)
        {
            input[i + 1] = ids[i];
        }

        input[Math.Min(ids.Count, room) + 1] = EosTokenId;
        return new TokenizedPrompt(input, ids.Count + 2, Words(ids.Skip(room), placeholders));
    }

    /// <summary>
    /// Chunks of 75 tokens as ComfyUI makes them (comfy/sd1_clip.py, <c>tokenize_with_weights</c>): a concept, or a
    /// piece of the prompt of fewer than 8 tokens, that no longer fits goes into the next chunk whole; a longer piece
    /// is divided.
    /// </summary>
    /// <inheritdoc/>
    public IReadOnlyList<PromptChunk> TokenizeChunks(
        IReadOnlyList<string> pieces,
        PlaceholderTokens? placeholders,
        int maxChunks
    )
    {
        var room = ModelMaxLength - 2;
        var chunks = new List<List<(int Id, int Piece)>> { new() };
        var (total, cut) = (0, new List<int>());
        foreach (var (piece, text) in pieces.Index())
        {
            foreach (var group in Groups(Encode(text, placeholders)))
            {
                total += group.Count;
                for (var rest = group; rest.Count > 0; )
                {
                    var free = room - chunks[^1].Count;
                    var fits = Math.Min(free, rest.Count);
                    var taken = fits == rest.Count || group.Count >= LongPiece || chunks[^1].Count == 0 ? fits : 0;
                    chunks[^1].AddRange(rest.Take(taken).Select(id => (id, piece)));
                    rest = rest[taken..];
                    if (rest.Count > 0 && chunks.Count == maxChunks)
                    {
                        cut.AddRange(rest);
                        break;
                    }

                    if (rest.Count > 0)
                    {
                        chunks.Add([]);
                    }
                }
            }
        }

        var cutText = Words(cut, placeholders);
        return [.. chunks.Select((chunk, i) => Chunk(chunk, total + 2, i == chunks.Count - 1 ? cutText : ""))];
    }

    /// <summary>The token of an id, as the vocabulary spells it: <c>cat&lt;/w&gt;</c>.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such id.</exception>
    public string Decode(int id) =>
        id >= 0 && id < _tokens.Length
            ? _tokens[id]
            : throw new ArgumentOutOfRangeException(nameof(id), id, "is not in the vocabulary");

    /// <summary>The id of a token, as the vocabulary spells it.</summary>
    public bool TryGetId(string token, out int id) => _ids.TryGetValue(token, out id);

    /// <inheritdoc/>
    public string TextOf(int id) => Decode(id).Replace(EndOfWord, "", StringComparison.Ordinal);

    /// <inheritdoc/>
    public bool Knows(string token) => _ids.ContainsKey(token) || _ids.ContainsKey(token + EndOfWord);

    /// <inheritdoc/>
    public string Normalized(string text) => Normalize(text);

    internal static string Normalize(string text) =>
        WhiteSpace()
            .Replace(text.Normalize(NormalizationForm.FormC), " ")
            .Replace("İ", "i̇", StringComparison.Ordinal)
            .ToLowerInvariant();

    /// <summary>Matches any of the tokens, the longest first.</summary>
    internal static Regex PatternOf(IEnumerable<string> tokens) =>
        new(
            string.Join(
                '|',
                tokens.OrderByDescending(token => token.Length).Select(Regex.Escape).DefaultIfEmpty("(?!)")
            ),
            RegexOptions.CultureInvariant
        );

    private List<int> Encode(string text, PlaceholderTokens? placeholders)
    {
        var ids = new List<int>();
        var pattern = placeholders is { Count: > 0 }
            ? PatternOf(_normalizedTokens.Keys.Concat(placeholders.NormalizedTokens))
            : _normalizedPattern;
        Split(
            text,
            _rawPattern,
            token => ids.Add(_rawTokens[token]),
            rest =>
                Split(
                    Normalize(rest),
                    pattern,
                    token => ids.Add(_normalizedTokens.TryGetValue(token, out var id) ? id : placeholders!.IdOf(token)),
                    words => EncodeWords(words, ids)
                )
        );
        return ids;
    }

    /// <summary>
    /// Ids in groups that belong together: the words between two concepts, or the vectors of one concept.
    /// </summary>
    private IEnumerable<List<int>> Groups(List<int> ids)
    {
        for (var from = 0; from < ids.Count; )
        {
            var concept = ids[from] >= VocabularySize;
            var to = from + 1;
            while (to < ids.Count && (concept ? ids[to] == ids[to - 1] + 1 : ids[to] < VocabularySize))
            {
                to++;
            }

            yield return ids[from..to];
            from = to;
        }
    }

    private PromptChunk Chunk(List<(int Id, int Piece)> tokens, int total, string cutText)
    {
        var (input, pieceOf) = (new int[ModelMaxLength], new int[ModelMaxLength]);
        Array.Fill(input, PadTokenId);
        Array.Fill(pieceOf, -1);
        input[0] = BosTokenId;
        for (var i = 0; i < tokens.Count; i++)
        {
            (input[i + 1], pieceOf[i + 1]) = tokens[i];
        }

        input[tokens.Count + 1] = EosTokenId;
        return new PromptChunk(new TokenizedPrompt(input, total, cutText), pieceOf);
    }

    private static void Split(string text, Regex pattern, Action<string> matched, Action<string> between)
    {
        var at = 0;
        foreach (Match match in pattern.Matches(text))
        {
            between(text[at..match.Index]);
            matched(match.Value);
            at = match.Index + match.Length;
        }

        between(text[at..]);
    }

    private void EncodeWords(string text, List<int> ids)
    {
        foreach (var word in Word().EnumerateMatches(text))
        {
            ids.AddRange(
                _bpe.EncodeToIds(
                    ByteAlphabet.Spell(text.AsSpan(word.Index, word.Length)),
                    considerPreTokenization: false,
                    considerNormalization: false
                )
            );
        }
    }

    private string Words(IEnumerable<int> ids, PlaceholderTokens? placeholders) =>
        string.Concat(
                ids.Select(id =>
                    id >= _tokens.Length ? placeholders!.TokenOf(id) + " "
                    : _tokens[id].EndsWith(EndOfWord, StringComparison.Ordinal)
                        ? ByteAlphabet.Read(_tokens[id][..^EndOfWord.Length]) + " "
                    : id == BosTokenId || id == EosTokenId ? _tokens[id] + " "
                    : ByteAlphabet.Read(_tokens[id])
                )
            )
            .TrimEnd();

    /// <summary>As transformers' own folders say it.</summary>
    private static string PublishedConfig(string padToken)
    {
        static string Added(string token) =>
            $$"""{"__type": "AddedToken", "content": "{{token}}", "lstrip": false, "normalized": true, "rstrip": false, "single_word": false}""";

        return $$"""
            {
              "add_prefix_space": false,
              "bos_token": {{Added("<|startoftext|>")}},
              "do_lower_case": true,
              "eos_token": {{Added("<|endoftext|>")}},
              "errors": "replace",
              "model_max_length": 77,
              "pad_token": {{JsonSerializer.Serialize(padToken)}},
              "tokenizer_class": "CLIPTokenizer",
              "unk_token": {{Added("<|endoftext|>")}}
            }

            """;
    }

    private int Id(string token, string folder) =>
        _ids.TryGetValue(token, out var id)
            ? id
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{folder}: the special token '{token}' is not in vocab.json."
            );

    /// <summary>
    /// Vocabulary and merges of the tokenizers library's file; merges are texts, <c>i n</c>, or pairs.
    /// </summary>
    private static (Dictionary<string, int> Ids, string[] Merges) ReadWhole(string path)
    {
        using var json = BoundedJson.Read(path, MaxVocabularyBytes);
        if (
            json.RootElement.ValueKind != JsonValueKind.Object
            || !json.RootElement.TryGetProperty("model", out var model)
            || model.ValueKind != JsonValueKind.Object
            || !model.TryGetProperty("type", out var type)
            || type.ToString() != "BPE"
            || !model.TryGetProperty("vocab", out var vocabulary)
            || !model.TryGetProperty("merges", out var merges)
            || merges.ValueKind != JsonValueKind.Array
            || merges.EnumerateArray().Any(merge => Merge(merge) is null)
        )
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{path} has no vocabulary and merges of a BPE model, as CLIP's tokenizer has."
            );
        }

        return (ReadVocabulary(vocabulary, path), [.. merges.EnumerateArray().Select(merge => Merge(merge)!)]);

        static string? Merge(JsonElement merge) =>
            merge.ValueKind == JsonValueKind.String ? merge.GetString()
            : merge.ValueKind == JsonValueKind.Array
            && merge.GetArrayLength() == 2
            && merge.EnumerateArray().All(part => part.ValueKind == JsonValueKind.String)
                ? $"{merge[0].GetString()} {merge[1].GetString()}"
            : null;
    }

    private static Dictionary<string, int> ReadVocabulary(string path)
    {
        using var json = BoundedJson.Read(path, MaxVocabularyBytes);
        return ReadVocabulary(json.RootElement, path);
    }

    private static Dictionary<string, int> ReadVocabulary(JsonElement vocabulary, string path)
    {
        var ids = new Dictionary<string, int>(StringComparer.Ordinal);
        if (vocabulary.ValueKind == JsonValueKind.Object)
        {
            foreach (var pair in vocabulary.EnumerateObject())
            {
                ids[pair.Name] =
                    pair.Value.ValueKind == JsonValueKind.Number && pair.Value.TryGetInt32(out var id) ? id : -1;
            }
        }

        return
            ids.Count > 0
            && ids.Values.Distinct().Count() == ids.Count
            && ids.Values.All(id => id >= 0 && id < ids.Count)
            ? ids
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{path} does not map tokens to the ids 0, 1, 2, …."
            );
    }

    private static JsonDocument ReadSpecialTokens(string folder)
    {
        var config = Path.Combine(folder, "tokenizer_config.json");
        var map = Path.Combine(folder, "special_tokens_map.json");
        return File.Exists(config) ? BoundedJson.Read(config)
            : File.Exists(map) ? BoundedJson.Read(map)
            : JsonDocument.Parse("{}");
    }

    private static (string Token, bool Normalized) SpecialToken(JsonDocument config, string key, string absent) =>
        !config.RootElement.TryGetProperty(key, out var value) ? (absent, false)
        : value.ValueKind == JsonValueKind.String ? (value.GetString()!, false)
        : value.ValueKind == JsonValueKind.Object
        && value.TryGetProperty("content", out var content)
        && content.ValueKind == JsonValueKind.String
            ? (
                content.GetString()!,
                value.TryGetProperty("normalized", out var normalized) && normalized.ValueKind == JsonValueKind.True
            )
        : (absent, false);

    private static string Bounded(string path)
    {
        return RegularFile.LengthOf(path) is > 0 and <= MaxVocabularyBytes
            ? path
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{path} is missing, empty, or larger than {MaxVocabularyBytes} bytes."
            );
    }

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex WhiteSpace();

    // CLIP's own pattern (openai/CLIP, simple_tokenizer.py), less the special tokens.
    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+", RegexOptions.CultureInvariant)]
    private static partial Regex Word();
}
