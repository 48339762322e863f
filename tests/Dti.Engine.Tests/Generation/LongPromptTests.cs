using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Tests.Models;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Generation;

public class LongPromptTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    /// <summary>
    /// What ComfyUI's <c>tokenize_with_weights</c> gives: how many tokens of each piece are in each chunk. A piece of
    /// fewer than 8 tokens goes whole into the next chunk; a longer one is divided.
    /// </summary>
    [Theory]
    [InlineData(new[] { 75 }, "75")]
    [InlineData(new[] { 76 }, "75", "1")]
    [InlineData(new[] { 200 }, "75", "75", "50")]
    [InlineData(new[] { 74, 2, 1 }, "74", "2+1")]
    [InlineData(new[] { 74, 1, 1 }, "74+1", "1")]
    [InlineData(new[] { 70, 7 }, "70", "7")]
    [InlineData(new[] { 70, 8 }, "70+5", "3")]
    [InlineData(new[] { 75, 8 }, "75", "8")]
    [InlineData(new[] { 0 }, "")]
    public void TokenizeChunks_Pieces_AreDividedAsInComfyUI(int[] lengths, params string[] expected)
    {
        var tokenizer = models.Model("tiny-sd15").Tokenizer;
        var chunks = tokenizer.TokenizeChunks([.. lengths.Select(Words)], null, 16);

        Assert.Equal(
            expected,
            chunks.Select(chunk =>
                string.Join(
                    '+',
                    chunk.PieceOf.Where(piece => piece >= 0).GroupBy(piece => piece).Select(piece => piece.Count())
                )
            )
        );
        Assert.All(chunks, chunk => Assert.Equal(77, chunk.Tokens.InputIds.Count));
        Assert.All(chunks, chunk => Assert.Equal(tokenizer.BosTokenId, chunk.Tokens.InputIds[0]));
        Assert.All(chunks, chunk =>
            Assert.Equal(tokenizer.EosTokenId, chunk.Tokens.InputIds[chunk.PieceOf.Count(piece => piece >= 0) + 1])
        );
        Assert.Equal(lengths.Sum() + 2, chunks[^1].Tokens.TokenCount);
    }

    [Theory]
    [InlineData(72, 5, 72, 5)] // a small concept stays together
    [InlineData(72, 9, 75, 6)] // a large one is divided
    [InlineData(0, 75, 75, 0)]
    public void TokenizeChunks_Concept_StaysTogetherIfItIsSmall(int before, int vectors, params int[] expected)
    {
        var tokenizer = models.Model("tiny-sd15").Tokenizer;
        var placeholders = new PlaceholderTokens(tokenizer.VocabularySize);
        placeholders.Add("<x>", vectors);

        var chunks = tokenizer.TokenizeChunks([$"{Words(before)} {placeholders.Expand("<x>")}"], placeholders, 16);

        Assert.Equal(
            expected.Where(count => count > 0),
            chunks.Select(chunk => chunk.PieceOf.Count(piece => piece >= 0))
        );
    }

    [Fact]
    public void TokenizeChunks_BeyondTheMost_AreCutAndTold()
    {
        var chunks = models.Model("tiny-sd15").Tokenizer.TokenizeChunks([Words(150) + " on the beach", "now"], null, 2);

        Assert.Equal(2, chunks.Count);
        Assert.Equal("on the beach now", chunks[^1].Tokens.CutText);
    }

    [Theory]
    [InlineData("tiny-sd15")]
    [InlineData("tiny-sdxl")]
    public void Encode_TwoChunks_AreTheStatesOfEachOneAfterTheOther(string family)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var model = models.Model(family);
        var encoder = new PromptEncoder(model, [], PromptSyntax.Weighted, longPrompts: LongPrompts.Chunks);

        var both = encoder.Encode($"({Words(75)}:1.2)(on the beach:0.7)");

        Conditioning[] each = [encoder.Encode($"({Words(75)}:1.2)"), encoder.Encode("(on the beach:0.7)")];
        Same(cat([each[0].States, each[1].States], 1), both.States);
        Assert.Equal(each[0].Pooled is null, both.Pooled is null);
        if (both.Pooled is not null)
        {
            Same(each[0].Pooled!, both.Pooled);
        }

        var cut = new PromptEncoder(model, [], PromptSyntax.Weighted).Encode($"({Words(75)}:1.2)(on the beach:0.7)");
        Same(each[0].States, cut.States);
    }

    /// <summary>
    /// Prompts of different lengths are computed one after the other; ComfyUI repeats both to one length, which is the
    /// same.
    /// </summary>
    [Fact]
    public void EncodePair_DifferentLengths_PredictsAsWithBothRepeatedToOneLength()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var model = models.Model("tiny-sd15");
        var encoder = new PromptEncoder(model, [], PromptSyntax.Weighted, longPrompts: LongPrompts.Chunks);
        var settings = GenerationSettings.Resolve(
            new GenerationOptions
            {
                Prompt = "a cat",
                NegativePrompt = Words(80),
                Width = 64,
                Height = 64,
            },
            model.Profile,
            () => 1
        );
        var latents = randn([1, 4, 8, 8], generator: new Generator(1, CPU));
        var time = tensor([500f]);

        using var pair = new TextToImage(model).EncodePair(settings, encoder);
        var found = pair.Predict(model, latents, time);

        var (negative, prompt) = (encoder.Encode(Words(80)), encoder.Encode("a cat"));
        var repeated = new Conditioning(cat([negative.States, prompt.States.repeat(1, 2, 1)]));
        var expected = model.Predict(latents, time, repeated);
        Assert.Equal(expected.shape, found.shape);
        Assert.True((expected - found).abs().max().item<float>() < 1e-4);
    }

    [Theory]
    [InlineData(null, null, LongPrompts.Chunks)]
    [InlineData(PromptSyntax.Plain, null, LongPrompts.Cut)]
    [InlineData(PromptSyntax.Plain, LongPrompts.Chunks, LongPrompts.Chunks)]
    [InlineData(null, LongPrompts.Cut, LongPrompts.Cut)]
    public void Resolve_LongPrompts_FollowTheSyntax(PromptSyntax? syntax, LongPrompts? asked, LongPrompts expected)
    {
        var options = new GenerationOptions
        {
            Prompt = "x",
            PromptSyntax = syntax,
            LongPrompts = asked,
        };
        Assert.Equal(
            expected,
            GenerationSettings.Resolve(options, models.Model("tiny-sd15").Profile, () => 1).LongPrompts
        );
    }

    [Theory]
    [InlineData("a red circle BREAK blue sky", "BREAK")]
    [InlineData("a [red:blue:0.5] circle, [cat|dog], AND grass", "[red:blue:0.5], [cat|dog], AND")]
    [InlineData("a circle, <lora:detail:0.8> <hypernet:x:1>", "<lora:detail:0.8>, <hypernet:x:1>")]
    [InlineData(
        "a __color__ circle, __sub/kind-2__, {red|blue}, {2$$a|b}",
        "__color__, __sub/kind-2__, {red|blue}, {2$$a|b}"
    )]
    [InlineData("[green] {{bright}}", "[green], {bright}")]
    [InlineData("(((red))), ((blue:1.3)", "a parenthesis without its counterpart")]
    [InlineData("red) (blue", "a parenthesis without its counterpart")]
    [InlineData("(word:1,2)", "(word:1,2)")]
    [InlineData("a cat, (red:1.2) BREAKFAST at <my-cat> \\[x\\] \\(y sand AND_x a__b embedding:cat_v1", null)]
    [InlineData("", null)]
    public void Warning_SyntaxWithoutEffect_IsNamed(string prompt, string? expected)
    {
        var warning = UnusedSyntax.Warning(prompt);

        Assert.Equal(expected is null, warning is null);
        Assert.Equal("PROMPT_SYNTAX_UNUSED", warning?.Code ?? "PROMPT_SYNTAX_UNUSED");
        Assert.Contains(
            expected is null ? "" : $"read as words: {expected}.",
            warning?.Message ?? "",
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Run_SyntaxWithoutEffect_WarnsUnlessThePromptIsPlain()
    {
        var model = models.Model("tiny-sd15");
        string[] Warnings(PromptSyntax syntax) =>
            [
                .. new TextToImage(model)
                    .Run(
                        GenerationSettings.Resolve(
                            new GenerationOptions
                            {
                                Prompt = "a BREAK b",
                                NegativePrompt = "[c]",
                                Steps = 1,
                                Width = 64,
                                Height = 64,
                                PromptSyntax = syntax,
                            },
                            model.Profile,
                            () => 1
                        ),
                        [],
                        TestContext.Current.CancellationToken
                    )
                    .OfType<GenerationWarning>()
                    .Select(warning => warning.Code),
            ];

        Assert.Equal(["PROMPT_SYNTAX_UNUSED", "PROMPT_SYNTAX_UNUSED"], Warnings(PromptSyntax.Weighted));
        Assert.Empty(Warnings(PromptSyntax.Plain));
    }

    private static string Words(int count) => string.Join(' ', Enumerable.Repeat("a", count));

    private static void Same(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        Assert.True((expected - actual).abs().max().item<float>() < 1e-5);
    }
}
