using System.Text.Json;
using System.Text.RegularExpressions;
using Dti.Engine.Tokenization;
using Dti.Engine.Training;
using Dti.Mini.World;
using Dti.Mini.World.Designs;

namespace Dti.Mini.Text;

/// <summary>
/// CLIP's vocabulary, cut to the words of the world and common English ones: every kept word has the tokens that CLIP
/// gives it, and any other text is still spelt, letter by letter if need be.
/// </summary>
internal static partial class MiniVocabulary
{
    private const int CommonMerges = 2_000;

    /// <summary>Writes a tokenizer folder.</summary>
    /// <param name="folder">Where to.</param>
    public static void Write(string folder)
    {
        var ranks = PublishedVocabulary
            .Merges.Select((merge, rank) => (Pair: merge.Split(' '), rank))
            .ToDictionary(merge => (merge.Pair[0], merge.Pair[1]), merge => merge.rank);
        var texts = Captions
            .Words.Concat(PromptTemplates.Objects)
            .Concat(PromptTemplates.Styles)
            .Append("object style person animal toy creature robot dinosaur clock bird snail plant cup bag castle")
            .Concat(DesignNames.All);
        var kept = new SortedDictionary<int, (string Left, string Right)>();
        foreach (
            var word in texts
                .SelectMany(text => Word().Matches(text.ToLowerInvariant()).Select(match => match.Value))
                .Distinct(StringComparer.Ordinal)
        )
        {
            Keep(ByteAlphabet.Spell(word), ranks, kept);
        }

        // The commonest merges, so that any other word is spelt in pieces that make sense.
        foreach (var (pair, rank) in ranks.Where(entry => entry.Value < CommonMerges))
        {
            kept[rank] = pair;
        }

        var letters = Enumerable
            .Range('!', '~' - '!' + 1)
            .Concat(Enumerable.Range('¡', '¬' - '¡' + 1))
            .Concat(Enumerable.Range('®', 'ÿ' - '®' + 1))
            .Select(c => ((char)c).ToString())
            .ToList();
        letters.AddRange(Enumerable.Range(256, 256 - letters.Count).Select(c => ((char)c).ToString()));
        string[] tokens =
        [
            .. letters,
            .. letters.Select(letter => letter + "</w>"),
            .. kept.Values.Select(pair => pair.Left + pair.Right),
            "<|startoftext|>",
            "<|endoftext|>",
        ];

        Directory.CreateDirectory(folder);
        File.WriteAllText(
            Path.Combine(folder, "vocab.json"),
            JsonSerializer.Serialize(
                tokens.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id)
            )
        );
        File.WriteAllText(
            Path.Combine(folder, "merges.txt"),
            "#version: 0.2\n" + string.Concat(kept.Values.Select(pair => $"{pair.Left} {pair.Right}\n"))
        );
        static object Special(string token) =>
            new
            {
                content = token,
                lstrip = false,
                normalized = true,
                rstrip = false,
                single_word = false,
            };
        File.WriteAllText(
            Path.Combine(folder, "special_tokens_map.json"),
            JsonSerializer.Serialize(
                new
                {
                    bos_token = Special("<|startoftext|>"),
                    eos_token = Special("<|endoftext|>"),
                    pad_token = "<|endoftext|>",
                    unk_token = Special("<|endoftext|>"),
                }
            )
        );
        File.WriteAllText(
            Path.Combine(folder, "tokenizer_config.json"),
            JsonSerializer.Serialize(
                new
                {
                    add_prefix_space = false,
                    bos_token = "<|startoftext|>",
                    do_lower_case = true,
                    eos_token = "<|endoftext|>",
                    errors = "replace",
                    model_max_length = 77,
                    pad_token = "<|endoftext|>",
                    tokenizer_class = "CLIPTokenizer",
                    unk_token = "<|endoftext|>",
                }
            )
        );
        Console.WriteLine($"{tokens.Length:N0} tokens, {kept.Count:N0} of them merges, in {folder}");
    }

    /// <summary>The tokens of a folder's vocabulary, with their ids.</summary>
    public static IReadOnlyDictionary<string, int> Read(string folder) =>
        JsonSerializer.Deserialize<Dictionary<string, int>>(File.ReadAllText(Path.Combine(folder, "vocab.json")))!;

    /// <summary>Keeps the merges that a word goes through.</summary>
    private static void Keep(
        string word,
        Dictionary<(string Left, string Right), int> ranks,
        SortedDictionary<int, (string Left, string Right)> kept
    )
    {
        List<string> pieces = [.. word.Select(letter => letter.ToString())];
        pieces[^1] += "</w>";
        while (pieces.Count > 1)
        {
            var (rank, pair) = pieces
                .Zip(pieces.Skip(1))
                .Select(pair => (Rank: ranks.GetValueOrDefault(pair, int.MaxValue), Pair: pair))
                .MinBy(candidate => candidate.Rank);
            if (rank == int.MaxValue)
            {
                return;
            }

            kept[rank] = pair;
            for (var i = 0; i < pieces.Count - 1; i++)
            {
                if ((pieces[i], pieces[i + 1]) == pair)
                {
                    pieces[i] += pieces[i + 1];
                    pieces.RemoveAt(i + 1);
                }
            }
        }
    }

    [GeneratedRegex(@"[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+")]
    private static partial Regex Word();
}
