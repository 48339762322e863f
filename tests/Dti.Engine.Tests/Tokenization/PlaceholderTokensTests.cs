using System.Text.Json;
using Dti.Engine.Tests.Models;
using Dti.Engine.Tokenization;
using Dti.Tests;

namespace Dti.Engine.Tests.Tokenization;

public class PlaceholderTokensTests
{
    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void Expand_FixturePrompts_MatchesDiffusers(string family)
    {
        using var json = Expected(family);
        var (_, placeholders) = WithCatAndToy(family);
        foreach (var (prompt, converted) in Texts(json, "prompts").Zip(Texts(json, "converted")))
        {
            Assert.Equal(converted, placeholders.Expand(prompt));
        }
    }

    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void Tokenize_WithPlaceholders_GivesTheSameIds(string family)
    {
        using var json = Expected(family);
        var (tokenizer, placeholders) = WithCatAndToy(family);
        foreach (var (texts, ids) in new[] { ("prompts", "input_ids_raw"), ("converted", "input_ids_converted") })
        {
            foreach (var (text, expected) in Texts(json, texts).Zip(json.RootElement.GetProperty(ids).EnumerateArray()))
            {
                Assert.Equal(
                    expected.EnumerateArray().Select(id => id.GetInt32()),
                    tokenizer.Tokenize(text, placeholders).InputIds
                );
            }
        }
    }

    [Theory]
    [InlineData("a photo of <My-Cat> on grass")]
    [InlineData("a photo of <my-cat> on grass")]
    [InlineData("a photo of <MY-CAT> on grass")]
    public void Expand_AnyCapitals_GivesAllVectors(string prompt)
    {
        var placeholders = new PlaceholderTokens(100);
        placeholders.Add("<My-Cat>", 3);

        Assert.Equal("a photo of <My-Cat> <My-Cat>_1 <My-Cat>_2 on grass", placeholders.Expand(prompt));
    }

    [Fact]
    public void Add_TwiceWithOtherCapitals_IsRefused()
    {
        var placeholders = new PlaceholderTokens(100);
        placeholders.Add("<cat>", 1);

        var error = Assert.Throws<DtiException>(() => placeholders.Add("<CAT>", 1));
        Assert.Equal(ErrorKind.InvalidArgument, error.Kind);
    }

    [Theory]
    [InlineData("cat")] // in the vocabulary, as "cat</w>"
    [InlineData("<|endoftext|>")]
    [InlineData("my-cat")]
    [InlineData("<my cat>")]
    [InlineData("<>")]
    [InlineData("<../x>")]
    public void Validate_NotAFreePlaceholder_IsRefused(string placeholder)
    {
        var (tokenizer, _) = WithCatAndToy("tiny-sd15");
        var error = Assert.Throws<DtiException>(() => PlaceholderTokens.Validate(placeholder, tokenizer));
        Assert.Equal("placeholder", error.Field);
    }

    [Fact]
    public void Tokenize_TooLong_SaysWhichWordsWereCut()
    {
        var (tokenizer, placeholders) = WithCatAndToy("tiny-sd15");

        var tokens = tokenizer.Tokenize(
            string.Join(' ', Enumerable.Repeat("a", 75)) + " <toy> in a garden",
            placeholders
        );

        Assert.Equal(77, tokens.InputIds.Count);
        Assert.Equal(tokenizer.EosTokenId, tokens.InputIds[^1]);
        Assert.Equal("<toy> in a garden", tokens.CutText);
    }

    private static JsonDocument Expected(string family) =>
        JsonDocument.Parse(File.ReadAllText(ModelFixture.Expected(family, "tokenizer_placeholders.json")));

    private static IEnumerable<string> Texts(JsonDocument json, string key) =>
        json.RootElement.GetProperty(key).EnumerateArray().Select(text => text.GetString()!);

    private static (ClipTokenizer Tokenizer, PlaceholderTokens Placeholders) WithCatAndToy(string family)
    {
        var tokenizer = ClipTokenizer.Load(Path.Combine(Fixtures.Root, family, "tokenizer"));
        var placeholders = new PlaceholderTokens(tokenizer.VocabularySize);
        placeholders.Add("<cat>", 2);
        placeholders.Add("<toy>", 1);
        return (tokenizer, placeholders);
    }
}
