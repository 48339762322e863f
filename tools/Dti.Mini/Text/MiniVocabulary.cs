using System.IO.Compression;
using System.Text.Json;
using System.Text.RegularExpressions;
using Dti.Engine.Tokenization;
using Dti.Engine.Training;
using Dti.Mini.World;

namespace Dti.Mini.Text;

/// <summary>
/// CLIP's vocabulary, cut to the words of the world and common English ones: every kept word has the tokens that CLIP gives
/// it, and any other text is still spelt, letter by letter if need be.
/// </summary>
internal static partial class MiniVocabulary
{
    /// <summary>Writes a tokenizer folder.</summary>
    /// <param name="source"><c>bpe_simple_vocab_16e6.txt.gz</c> of github.com/openai/CLIP (MIT).</param>
    /// <param name="folder">Where to.</param>
    public static void Write(string source, string folder)
    {
        var ranks = ReadMerges(source);
        var texts = Captions.Words.Concat(PromptTemplates.Objects).Concat(PromptTemplates.Styles).Append("object style person animal toy creature robot dinosaur clock bird snail plant cup bag castle");
        var kept = new SortedDictionary<int, (string Left, string Right)>();
        foreach (var word in texts.SelectMany(text => Word().Matches(text.ToLowerInvariant()).Select(match => match.Value)).Distinct(StringComparer.Ordinal))
        {
            Keep(ByteAlphabet.Spell(word), ranks, kept);
        }

        var letters = Enumerable.Range('!', '~' - '!' + 1).Concat(Enumerable.Range('¡', '¬' - '¡' + 1)).Concat(Enumerable.Range('®', 'ÿ' - '®' + 1)).Select(c => ((char)c).ToString()).ToList();
        letters.AddRange(Enumerable.Range(256, 256 - letters.Count).Select(c => ((char)c).ToString()));
        string[] tokens = [.. letters, .. letters.Select(letter => letter + "</w>"), .. kept.Values.Select(pair => pair.Left + pair.Right), "<|startoftext|>", "<|endoftext|>"];

        Directory.CreateDirectory(folder);
        File.WriteAllText(Path.Combine(folder, "vocab.json"), JsonSerializer.Serialize(tokens.Select((token, id) => (token, id)).ToDictionary(pair => pair.token, pair => pair.id)));
        File.WriteAllText(Path.Combine(folder, "merges.txt"), "#version: 0.2\n" + string.Concat(kept.Values.Select(pair => $"{pair.Left} {pair.Right}\n")));
        static object Special(string token) => new { content = token, lstrip = false, normalized = true, rstrip = false, single_word = false };
        File.WriteAllText(Path.Combine(folder, "special_tokens_map.json"), JsonSerializer.Serialize(new
        {
            bos_token = Special("<|startoftext|>"),
            eos_token = Special("<|endoftext|>"),
            pad_token = "<|endoftext|>",
            unk_token = Special("<|endoftext|>"),
        }));
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), JsonSerializer.Serialize(new
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
        }));
        Console.WriteLine($"{tokens.Length:N0} tokens, {kept.Count:N0} of them merges, in {folder}");
    }

    private static Dictionary<(string Left, string Right), int> ReadMerges(string source)
    {
        using var reader = new StreamReader(new GZipStream(File.OpenRead(source), CompressionMode.Decompress));
        var ranks = new Dictionary<(string, string), int>();
        reader.ReadLine(); // the version
        while (ranks.Count < 48_894 && reader.ReadLine() is { } line) // as many as CLIP itself reads
        {
            var pair = line.Split(' ');
            ranks.Add((pair[0], pair[1]), ranks.Count);
        }

        return ranks;
    }

    /// <summary>Keeps the merges that a word goes through.</summary>
    private static void Keep(string word, Dictionary<(string Left, string Right), int> ranks, SortedDictionary<int, (string Left, string Right)> kept)
    {
        List<string> pieces = [.. word.Select(letter => letter.ToString())];
        pieces[^1] += "</w>";
        while (pieces.Count > 1)
        {
            var (rank, pair) = pieces.Zip(pieces.Skip(1)).Select(pair => (Rank: ranks.GetValueOrDefault(pair, int.MaxValue), Pair: pair)).MinBy(candidate => candidate.Rank);
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
