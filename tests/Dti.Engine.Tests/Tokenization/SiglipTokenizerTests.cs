using Dti.Engine.Tokenization;
using Dti.Tests;

namespace Dti.Engine.Tests.Tokenization;

public class SiglipTokenizerTests
{
    private readonly SiglipTokenizer _tokenizer = SiglipTokenizer.Load(
        Path.Combine(Fixtures.Root, "evaluators", "siglip"),
        64
    );

    [Theory]
    [InlineData("", new int[0])]
    [InlineData(" \t ", new int[0])]
    [InlineData("...", new int[0])]
    [InlineData("A Photo of\tthe  DOG!", new[] { 3, 5, 4, 6, 20 })]
    [InlineData("　ｐｈｏｔｏ", new[] { 5 })] // full width, NFKC
    [InlineData("the\u200bdog", new[] { 6, 20 })] // nmt: a blank of no width is one
    [InlineData("xxx", new[] { 51, 2 })] // neighbours that no piece spells
    [InlineData("猫", new[] { 51, 2 })]
    [InlineData("😀 dog", new[] { 51, 2, 20 })]
    public void Tokenize_Text_GivesItsPiecesAndTheEnd(string text, int[] pieces)
    {
        Assert.Equal([.. pieces, .. Enumerable.Repeat(1, 64 - pieces.Length)], _tokenizer.Tokenize(text));
    }

    [Fact]
    public void Tokenize_HalfASurrogatePair_IsABlank()
    {
        Assert.Equal(_tokenizer.Tokenize("a dog"), _tokenizer.Tokenize($"a{(char)0xD800}dog"));
    }

    [Fact]
    public void Tokenize_TooLong_CutsAndEnds()
    {
        Assert.Equal(
            [.. Enumerable.Repeat(20, 63), 1],
            _tokenizer.Tokenize(string.Join(' ', Enumerable.Repeat("dog", 100)))
        );
    }
}
