using System.IO.Compression;

namespace Dti.Engine.Tokenization;

/// <summary>
/// The vocabulary that CLIP was published with (github.com/openai/CLIP, MIT), for single-file checkpoints, which bring
/// none: 49,408 tokens, from the 48,894 merges that this assembly carries.
/// </summary>
internal static class PublishedVocabulary
{
    private static readonly Lazy<(Dictionary<string, int> Ids, string[] Merges)> _vocabulary = new(Read);

    /// <summary>Tokens by id.</summary>
    public static IReadOnlyDictionary<string, int> Ids => _vocabulary.Value.Ids;

    /// <summary>Pairs of tokens, the first to be merged first: <c>i n</c>.</summary>
    public static IReadOnlyList<string> Merges => _vocabulary.Value.Merges;

    private static (Dictionary<string, int> Ids, string[] Merges) Read()
    {
        using var stream = typeof(PublishedVocabulary).Assembly.GetManifestResourceStream("clip_merges.txt.gz")!;
        using var reader = new StreamReader(new GZipStream(stream, CompressionMode.Decompress));
        string[] merges = [.. reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries)];
        string[] letters = [.. ByteAlphabet.Letters];
        IEnumerable<string> tokens =
        [
            .. letters,
            .. letters.Select(letter => letter + "</w>"),
            .. merges.Select(merge => merge.Replace(" ", "", StringComparison.Ordinal)),
            "<|startoftext|>",
            "<|endoftext|>",
        ];
        return (
            tokens
                .Select((token, id) => (token, id))
                .ToDictionary(pair => pair.token, pair => pair.id, StringComparer.Ordinal),
            merges
        );
    }
}
