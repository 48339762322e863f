using System.Text;
using System.Text.RegularExpressions;

namespace Dti.Engine.Tokenization;

/// <summary>
/// A SentencePiece model of the unigram kind (arXiv 1808.06226): of all ways to cut a text into pieces, the most
/// probable one. Our own, because Microsoft.ML.Tokenizers 2.0.1 fails on models that have no token for the start, as
/// SigLIP's. Thread-safe.
/// </summary>
internal sealed partial class UnigramModel
{
    private const float UnknownPenalty = 10;

    private readonly Dictionary<string, (int Id, float Score)> _pieces = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (int Id, float Score)>.AlternateLookup<ReadOnlySpan<char>> _spelling;
    private readonly Dictionary<string, int> _controls = new(StringComparer.Ordinal);
    private readonly CharsMap _charsMap;
    private readonly int _unknownId;
    private readonly int _longest; // piece, in UTF-16 units
    private readonly float _unknownScore;

    private UnigramModel(SentencePieceFile file)
    {
        foreach (var (id, piece) in file.Pieces.Index())
        {
            if (piece.Type == PieceType.Normal)
            {
                _pieces[piece.Text] = (id, piece.Score);
                _longest = Math.Max(_longest, piece.Text.Length);
            }
            else if (piece.Type == PieceType.Control)
            {
                _controls[piece.Text] = id;
            }
        }

        _spelling = _pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        _charsMap = file.CharsMap;
        _unknownId = file.Pieces.FindIndex(piece => piece.Type == PieceType.Unknown);
        _unknownScore = _pieces.Values.Select(piece => piece.Score).DefaultIfEmpty().Min() - UnknownPenalty;
        VocabularySize = file.Pieces.Count;
    }

    /// <summary>Pieces of all kinds.</summary>
    public int VocabularySize { get; }

    /// <summary>Reads a <c>spiece.model</c>.</summary>
    /// <exception cref="DtiException">It is missing, too large, not valid or of another kind.</exception>
    public static UnigramModel Load(string path)
    {
        var model = new UnigramModel(SentencePieceFile.Read(path));
        return model._unknownId >= 0
            ? model
            : throw new DtiException(ErrorKind.FailedPrecondition, $"{path} has no piece for what is unknown.");
    }

    /// <summary>The id of a token that is never in a text.</summary>
    public bool TryGetControl(string token, out int id) => _controls.TryGetValue(token, out id);

    /// <summary>The ids of a text.</summary>
    public IReadOnlyList<int> Encode(string text)
    {
        text = Blanks().Replace(_charsMap.Apply(text), " ").Trim(' ');
        return text.Length == 0 ? [] : Cut($" {text}".Replace(' ', '\u2581'));
    }

    /// <summary>
    /// Viterbi: the best cut of each prefix from the best cuts of the shorter ones. Neighbours that no piece spells are
    /// one unknown.
    /// </summary>
    private List<int> Cut(string text)
    {
        // of the cut that ends there: its last piece, and its score
        var best = new (int Start, int Id, float Score)[text.Length + 1];
        Array.Fill(best, (-1, _unknownId, float.NegativeInfinity));
        best[0].Score = 0;
        for (var start = 0; start < text.Length; )
        {
            Rune.DecodeFromUtf16(text.AsSpan(start), out _, out var character);
            var spelt = false;
            for (var length = 1; length <= Math.Min(_longest, text.Length - start); length++)
            {
                if (_spelling.TryGetValue(text.AsSpan(start, length), out var piece))
                {
                    Offer(start, length, piece.Id, piece.Score);
                    spelt |= length == character;
                }
            }

            if (!spelt)
            {
                Offer(start, character, _unknownId, _unknownScore);
            }

            start += character;
        }

        var ids = new List<int>();
        for (var end = text.Length; end > 0; end = best[end].Start)
        {
            if (best[end].Id != _unknownId || ids.LastOrDefault(-1) != _unknownId)
            {
                ids.Add(best[end].Id);
            }
        }

        ids.Reverse();
        return ids;

        void Offer(int start, int length, int id, float score)
        {
            score += best[start].Score;
            if (score > best[start + length].Score)
            {
                best[start + length] = (start, id, score);
            }
        }
    }

    [GeneratedRegex(" {2,}", RegexOptions.CultureInvariant)]
    private static partial Regex Blanks();
}
