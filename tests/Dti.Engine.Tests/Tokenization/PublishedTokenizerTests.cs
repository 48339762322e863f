using System.Text.Json;
using Dti.Engine.Tokenization;
using Dti.Tests;

namespace Dti.Engine.Tests.Tokenization;

public class PublishedTokenizerTests
{
    [Theory]
    [InlineData("<|endoftext|>", "input_ids")]
    [InlineData("!", "input_ids_pad_exclamation")]
    public void Tokenize_RecordedPrompts_GivesTheIdsOfTransformers(string padToken, string recorded)
    {
        using var json = JsonDocument.Parse(File.ReadAllText(Fixtures.Common("full_clip_tokenizer.json")));
        var tokenizer = ClipTokenizer.Published(padToken);

        Assert.Equal(json.RootElement.GetProperty("vocab_size").GetInt32(), tokenizer.VocabularySize);
        foreach (
            var (prompt, ids) in json
                .RootElement.GetProperty("prompts")
                .EnumerateArray()
                .Zip(json.RootElement.GetProperty(recorded).EnumerateArray())
        )
        {
            Assert.Equal(
                ids.EnumerateArray().Select(id => id.GetInt32()),
                tokenizer.Tokenize(prompt.GetString()!).InputIds
            );
        }
    }
}
