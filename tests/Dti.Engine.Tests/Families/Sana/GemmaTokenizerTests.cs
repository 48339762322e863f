using System.Text.Json;
using Dti.Engine.Models.Families.Sana;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Tests.Families.Sana;

/// <summary>Ids against the tokenizers library and SanaPipeline.</summary>
public class GemmaTokenizerTests
{
    private static readonly GemmaTokenizer _tokenizer = GemmaTokenizer.Load(
        Path.Combine(SanaFixture.Folder, "tokenizer")
    );

    [Fact]
    public void Encode_FixturePrompts_GivesTheSameIds()
    {
        using var json = SanaFixture.Json("tokenizer.json");
        foreach (var (prompt, ids) in Cases(json, "input_ids"))
        {
            Assert.Equal(ids, _tokenizer.Encode(prompt).Prepend(2));
        }
    }

    [Fact]
    public void Encode_ModelOfSentencePieceAlone_GivesItsIds()
    {
        var folder = Directory.CreateTempSubdirectory("dti-gemma-");
        File.Copy(
            Path.Combine(SanaFixture.Folder, "tokenizer", "tokenizer.model"),
            Path.Combine(folder.FullName, "tokenizer.model")
        );
        var tokenizer = GemmaTokenizer.Load(folder.FullName);
        using var json = SanaFixture.Json("tokenizer.json");
        var differing = json.RootElement.GetProperty("sentencepiece_ids");
        foreach (var (index, (prompt, ids)) in Cases(json, "input_ids").Index())
        {
            var expected = differing.TryGetProperty($"{index}", out var own) ? Ids(own) : ids;
            Assert.Equal(expected, tokenizer.Encode(prompt).Prepend(2));
        }

        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_placeholders.json")]
    public void Tokenize_FixturePrompts_GivesThePipelinesIds(string file)
    {
        using var json = SanaFixture.Json(file);
        var placeholders = file == "tokenizer.json" ? null : Placeholders();
        foreach (var (prompt, ids) in Cases(json, "sana_plain"))
        {
            var found = _tokenizer.Tokenize([prompt], placeholders, out var pieceOf);

            Assert.Equal(300, found.InputIds.Count);
            Assert.Equal(300, pieceOf.Length);
            Assert.Equal(ids, found.InputIds.Take(Math.Min(300, found.TokenCount)));
            Assert.All(found.InputIds.Skip(found.TokenCount), id => Assert.Equal(0, id));
        }
    }

    [Theory]
    [InlineData("tokenizer.json")]
    [InlineData("tokenizer_placeholders.json")]
    public void Tokenize_WithInstruction_GivesThePipelinesIds(string file)
    {
        using var json = SanaFixture.Json(file);
        var placeholders = file == "tokenizer.json" ? null : Placeholders();
        foreach (var (prompt, ids) in Cases(json, "sana_chi_selected"))
        {
            var found = _tokenizer.WithInstruction.Tokenize([prompt], placeholders, out var pieceOf);

            Assert.Equal(629, found.InputIds.Count);
            Assert.Equal(300, pieceOf.Length);
            var selected = found.InputIds.Take(1).Concat(found.InputIds.Skip(629 - 299));
            Assert.Equal(ids, selected.Take(Math.Min(300, found.TokenCount)));
            Assert.Equal(-1, pieceOf[0]);
            Assert.All(pieceOf[1..Math.Min(300, found.TokenCount)], piece => Assert.Equal(0, piece));
        }
    }

    [Fact]
    public void Tokenize_WithInstruction_GivesThePipelinesWholeRows()
    {
        using var json = SanaFixture.Json("tokenizer.json");
        var prompts = json.RootElement.GetProperty("prompts").EnumerateArray().Select(prompt => prompt.GetString()!);
        var rows = json.RootElement.GetProperty("sana_chi_full_0_to_2").EnumerateArray().Select(Ids);
        foreach (var (prompt, ids) in prompts.Zip(rows))
        {
            Assert.Equal(ids, _tokenizer.WithInstruction.Tokenize([prompt], null, out _).InputIds);
        }

        Assert.Equal(
            Ids(json.RootElement.GetProperty("sana_chi_prefix")),
            _tokenizer.WithInstruction.Tokenize("").InputIds.Take(331)
        );
    }

    [Fact]
    public void Encode_WithPlaceholders_GivesTheSameIds()
    {
        using var json = SanaFixture.Json("tokenizer_placeholders.json");
        var placeholders = Placeholders();
        foreach (var (prompt, ids) in Cases(json, "input_ids"))
        {
            Assert.Equal(ids, _tokenizer.Encode(prompt, placeholders).Prepend(2));
        }
    }

    [Theory]
    [InlineData("a photo of <cat>", "a photo of <cat><cat>_1")]
    [InlineData("a photo of <cat><cat>_1 and <toy>", "a photo of <cat><cat>_1 and <toy>")]
    [InlineData("<CAT>, <cat>_1", "<cat><cat>_1, <cat>_1")]
    public void Expand_ConceptOfTwoVectors_JoinsThemWithoutABlank(string prompt, string expected) =>
        Assert.Equal(expected, Placeholders().Expand(prompt));

    [Fact]
    public void Tokenize_LongPrompt_SaysWhatWasCut()
    {
        var prompt = string.Join(' ', Enumerable.Repeat("word", 200)) + " the beach";

        foreach (var tokenizer in new[] { _tokenizer, _tokenizer.WithInstruction })
        {
            var found = tokenizer.Tokenize(prompt);

            Assert.True(found.TokenCount > 300);
            Assert.EndsWith("the beach", found.CutText, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Tokenize_Pieces_NamesThePieceOfEachState()
    {
        var found = _tokenizer.WithInstruction.Tokenize(["a photo of ", "a dog "], null, out var pieceOf);

        var states = found.TokenCount;
        Assert.Equal(-1, pieceOf[0]);
        Assert.Equal([0, 1], pieceOf[1..states].Distinct());
        Assert.All(pieceOf[states..], piece => Assert.Equal(-1, piece));
        Assert.Equal(_tokenizer.WithInstruction.Tokenize("a photo of a dog").InputIds, found.InputIds);
    }

    [Theory]
    [InlineData("ΟΔΟΣ Σ Σα", "οδος σ σα")]
    [InlineData("İ", "i̇")]
    public void Normalized_Capitals_AreThoseOfPython(string text, string expected) =>
        Assert.Equal(expected, _tokenizer.Normalized(text));

    [Fact]
    public void TextOf_Pieces_LeavesTheMarkOut()
    {
        Assert.Equal("cat", _tokenizer.TextOf(_tokenizer.Encode(" cat")[0]));
        Assert.True(_tokenizer.Knows("cat"));
        Assert.False(_tokenizer.Knows("<toy>"));
    }

    private static PlaceholderTokens Placeholders()
    {
        var placeholders = new PlaceholderTokens(
            _tokenizer.VocabularySize,
            _tokenizer.Normalized,
            _tokenizer.ConceptSeparator
        );
        placeholders.Add("<toy>", 1);
        placeholders.Add("<zero-pad>", 1);
        placeholders.Add("<cat>", 2);
        return placeholders;
    }

    private static IEnumerable<(string Prompt, int[] Ids)> Cases(JsonDocument json, string key) =>
        json
            .RootElement.GetProperty("prompts")
            .EnumerateArray()
            .Zip(json.RootElement.GetProperty(key).EnumerateArray(), (prompt, ids) => (prompt.GetString()!, Ids(ids)));

    private static int[] Ids(JsonElement ids) => [.. ids.EnumerateArray().Select(id => id.GetInt32())];
}
