using System.Globalization;
using System.Text;
using System.Text.Json;
using Dti.Engine.Configs;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>
/// The vocabulary of a <c>tokenizer.json</c> or <c>tokenizer.model</c> of Gemma: byte-pair encoding of the whole text,
/// in which spaces are U+2581, and a character without its own token becomes the tokens of its UTF-8 bytes.
/// Thread-safe.
/// </summary>
/// <remarks>
/// Our own: SentencePieceTokenizer of Microsoft.ML.Tokenizers 2.0.1 gives 60 of the 64 recorded prompts their ids from
/// <c>tokenizer.model</c>. It falls back to bytes and takes added tokens, but it merges runs of spaces and of line
/// breaks in another order, and gives an empty text no start. Its BpeTokenizer has no fallback to bytes.
/// </remarks>
internal sealed class GemmaVocabulary
{
    /// <summary>The character that replaces a space.</summary>
    public const char Space = '\u2581';

    private const long MaxBytes = 64 * 1024 * 1024;
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _spelling;
    private readonly string[] _tokens;
    private readonly Func<int, int, (double Rank, int Id)?> _merge;
    private readonly Dictionary<int, byte> _byteOf; // of the tokens that stand for a byte
    private readonly int[] _tokenOf; // of each byte

    private GemmaVocabulary(
        string path,
        Dictionary<string, int> ids,
        Func<int, int, (double Rank, int Id)?> merge,
        Dictionary<string, int> addedTokens
    )
    {
        (Path, _ids, _merge, AddedTokens) = (path, ids, merge, addedTokens);
        _spelling = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _tokens = new string[_ids.Count];
        foreach (var (token, id) in _ids)
        {
            _tokens[id] = _tokens[id] is null ? token : throw new FormatException($"two tokens have the id {id}");
        }

        var unknown = _ids["<unk>"];
        _tokenOf = [.. Enumerable.Range(0, 256).Select(value => _ids.GetValueOrDefault(ByteToken(value), unknown))];
        _byteOf = _tokenOf
            .Index()
            .Where(pair => pair.Item != unknown) // the tab may have a token of its own and none as a byte
            .ToDictionary(pair => pair.Item, pair => (byte)pair.Index);
    }

    private static GemmaVocabulary OfJson(string path, JsonElement root)
    {
        var model = Property(root, "model", JsonValueKind.Object);
        if (!model.TryGetProperty("type", out var type) || type.ToString() != "BPE")
        {
            throw new FormatException("its model is not byte-pair encoding");
        }

        var ids = Property(model, "vocab", JsonValueKind.Object)
            .EnumerateObject()
            .DistinctBy(pair => pair.Name)
            .ToDictionary(pair => pair.Name, pair => pair.Value.GetInt32(), StringComparer.Ordinal);
        var merges = new Dictionary<(int Left, int Right), (double Rank, int Id)>();
        foreach (var (rank, merge) in Property(model, "merges", JsonValueKind.Array).EnumerateArray().Index())
        {
            var (left, right) = Pair(merge);
            merges.TryAdd((ids[left], ids[right]), (rank, ids[left + right]));
        }

        var added = new Dictionary<string, int>(StringComparer.Ordinal);
        foreach (var token in Property(root, "added_tokens", JsonValueKind.Array).EnumerateArray())
        {
            var text = token.GetProperty("content").GetString()!;
            added[text] =
                ids.TryGetValue(text, out var id) && token.GetProperty("id").GetInt32() == id
                    ? id
                    : throw new FormatException($"the added token '{text}' has another id than in the vocabulary");
        }

        return new(path, ids, (left, right) => merges.TryGetValue((left, right), out var merge) ? merge : null, added);
    }

    /// <summary>
    /// A model of SentencePiece alone: of all neighbours, those are merged first whose piece has the highest score. Of
    /// added tokens it knows those that its texts may hold, so that <c>&lt;bos&gt;</c> is text.
    /// </summary>
    private static GemmaVocabulary OfModel(string path, SentencePieceFile file)
    {
        var ids = file
            .Pieces.Index()
            .DistinctBy(piece => piece.Item.Text)
            .ToDictionary(piece => piece.Item.Text, piece => piece.Index, StringComparer.Ordinal);
        return new(
            path,
            ids,
            (left, right) =>
                ids.TryGetValue(file.Pieces[left].Text + file.Pieces[right].Text, out var id)
                && file.Pieces[id].Type == PieceType.Normal
                    ? (-file.Pieces[id].Score, id)
                    : null,
            ids.Where(piece => file.Pieces[piece.Value].Type == PieceType.UserDefined)
                .ToDictionary(StringComparer.Ordinal)
        )
        {
            MatchesSpaces = true,
        };
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>All tokens.</summary>
    public int Count => _tokens.Length;

    /// <summary>Tokens that are found in a text before it is cut: <c>&lt;bos&gt;</c>, ….</summary>
    public IReadOnlyDictionary<string, int> AddedTokens { get; }

    /// <summary>Whether they are searched for after spaces have become U+2581.</summary>
    public bool MatchesSpaces { get; private init; }

    /// <summary>Reads a folder's <c>tokenizer.json</c>, or where it has none <c>tokenizer.model</c>.</summary>
    /// <exception cref="DtiException">It is missing, too large or not valid.</exception>
    public static GemmaVocabulary Read(string folder)
    {
        var path = System.IO.Path.Combine(folder, "tokenizer.json");
        try
        {
            if (
                !File.Exists(path)
                && System.IO.Path.Combine(folder, "tokenizer.model") is var model
                && File.Exists(model)
            )
            {
                path = model;
                return OfModel(path, SentencePieceFile.Read(path, SentencePieceKind.BytePairs));
            }

            using var json = BoundedJson.Read(path, MaxBytes);
            return OfJson(path, json.RootElement);
        }
        catch (Exception error)
            when (error
                    is FormatException
                        or KeyNotFoundException
                        or InvalidOperationException
                        or IndexOutOfRangeException
            )
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{path} is not a tokenizer of Gemma that can be read: {error.Message}",
                innerException: error
            );
        }
    }

    /// <summary>The id of a token.</summary>
    /// <exception cref="DtiException">There is none of that name.</exception>
    public int IdOf(string token) =>
        _ids.TryGetValue(token, out var id)
            ? id
            : throw new DtiException(ErrorKind.FailedPrecondition, $"{Path} has no token '{token}'.");

    /// <summary>Whether there is a token of that name.</summary>
    public bool Contains(string token) => _ids.ContainsKey(token);

    /// <summary>The token of an id.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such id.</exception>
    public string this[int id] =>
        id >= 0 && id < _tokens.Length
            ? _tokens[id]
            : throw new ArgumentOutOfRangeException(nameof(id), id, "is not in the vocabulary");

    /// <summary>The text of tokens.</summary>
    public string Text(IEnumerable<int> ids) =>
        Encoding
            .UTF8.GetString([
                .. ids.SelectMany(id =>
                    _byteOf.TryGetValue(id, out var value) ? [value] : Encoding.UTF8.GetBytes(this[id])
                ),
            ])
            .Replace(Space, ' ');

    /// <summary>
    /// Appends the ids of a text: of all neighbours that are a token together, those that were merged first when the
    /// vocabulary was made are merged first, from the left.
    /// </summary>
    /// <param name="text">The text, with U+2581 for spaces.</param>
    /// <param name="ids">Where to.</param>
    public void Encode(string text, List<int> ids)
    {
        var symbols = Spell(text);
        int[] next = [.. Enumerable.Range(1, symbols.Count)];
        int[] previous = [.. Enumerable.Range(-1, symbols.Count)];
        var found =
            new PriorityQueue<(int Left, int Right, int LeftId, int RightId, int Id), (double Rank, int Place)>();
        for (var i = 0; i < symbols.Count - 1; i++)
        {
            Offer(i, i + 1);
        }

        while (found.TryDequeue(out var merge, out _))
        {
            if (symbols[merge.Left] != merge.LeftId || symbols[merge.Right] != merge.RightId)
            {
                continue; // one of the two was merged meanwhile
            }

            (symbols[merge.Left], symbols[merge.Right]) = (merge.Id, -1);
            var after = next[merge.Left] = next[merge.Right];
            if (previous[merge.Left] >= 0)
            {
                Offer(previous[merge.Left], merge.Left);
            }

            if (after < symbols.Count)
            {
                previous[after] = merge.Left;
                Offer(merge.Left, after);
            }
        }

        ids.AddRange(symbols.Where(id => id >= 0));

        void Offer(int left, int right)
        {
            if (_merge(symbols[left], symbols[right]) is { } merge)
            {
                found.Enqueue((left, right, symbols[left], symbols[right], merge.Id), (merge.Rank, left));
            }
        }
    }

    private List<int> Spell(string text)
    {
        var symbols = new List<int>(text.Length);
        Span<byte> bytes = stackalloc byte[4];
        for (var at = 0; at < text.Length; )
        {
            Rune.DecodeFromUtf16(text.AsSpan(at), out var rune, out var length);
            if (_spelling.TryGetValue(text.AsSpan(at, length), out var id))
            {
                symbols.Add(id);
            }
            else
            {
                foreach (var value in bytes[..rune.EncodeToUtf8(bytes)])
                {
                    symbols.Add(_tokenOf[value]);
                }
            }

            at += length;
        }

        return symbols;
    }

    private static string ByteToken(int value) => string.Create(CultureInfo.InvariantCulture, $"<0x{value:X2}>");

    /// <summary>A merge is a pair, or a text with a space between the two.</summary>
    private static (string Left, string Right) Pair(JsonElement merge)
    {
        if (merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2)
        {
            return (merge[0].GetString()!, merge[1].GetString()!);
        }

        return merge.GetString()!.Split(' ') is [var left, var right]
            ? (left, right)
            : throw new FormatException($"the merge {merge} is not of two tokens");
    }

    private static JsonElement Property(JsonElement parent, string name, JsonValueKind kind) =>
        parent.ValueKind == JsonValueKind.Object
        && parent.TryGetProperty(name, out var value)
        && value.ValueKind == kind
            ? value
            : throw new FormatException($"it has no {name}");
}
