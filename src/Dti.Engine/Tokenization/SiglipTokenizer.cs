using System.Text.RegularExpressions;

namespace Dti.Engine.Tokenization;

/// <summary>
/// SigLIP's tokenizer (transformers' SiglipTokenizer): lower case, no ASCII punctuation, white space collapsed; then
/// the unigram model's ids, and <c>&lt;/s&gt;</c> at the end and as padding. Thread-safe.
/// </summary>
internal sealed partial class SiglipTokenizer
{
    private const string EndOfText = "</s>";
    private readonly UnigramModel _unigrams;
    private readonly int _length;
    private readonly int _endOfText;

    private SiglipTokenizer(string path, int length)
    {
        (_unigrams, _length) = (UnigramModel.Load(path), length);
        _endOfText = _unigrams.TryGetControl(EndOfText, out var id)
            ? id
            : throw new DtiException(ErrorKind.FailedPrecondition, $"{path} has no token '{EndOfText}'.");
    }

    /// <summary>All tokens.</summary>
    public int VocabularySize => _unigrams.VocabularySize;

    /// <summary>Loads a folder's <c>spiece.model</c>.</summary>
    /// <param name="folder">The folder.</param>
    /// <param name="length">Ids that the model reads: 64.</param>
    /// <exception cref="DtiException">It is missing or not valid.</exception>
    public static SiglipTokenizer Load(string folder, int length) => new(Path.Combine(folder, "spiece.model"), length);

    /// <summary>The ids of a prompt as the model reads it; what is too long is cut.</summary>
    public int[] Tokenize(string text)
    {
        var bare = AsciiPunctuation().Replace(text.Replace('\u2581', ' ').ToLowerInvariant(), "");
        var ids = new int[_length];
        Array.Fill(ids, _endOfText);
        foreach (var (i, id) in _unigrams.Encode(WhiteSpace().Replace(bare, " ")).Take(_length - 1).Index())
        {
            ids[i] = id;
        }

        return ids;
    }

    // Python's string.punctuation.
    [GeneratedRegex(@"[!-/:-@\[-`{-~]", RegexOptions.CultureInvariant)]
    private static partial Regex AsciiPunctuation();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex WhiteSpace();
}
