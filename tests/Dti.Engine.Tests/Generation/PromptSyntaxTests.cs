using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Tests.Models;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Generation;

public class PromptSyntaxTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    /// <summary>What ComfyUI's <c>token_weights</c> gives for these prompts.</summary>
    [Theory]
    [InlineData("a cat", "a cat|1")]
    [InlineData("a (red) cat", "a |1", "red|1.1", " cat|1")]
    [InlineData("a ((red)) cat", "a |1", "red|1.21", " cat|1")]
    [InlineData("(a (red:1.5) cat:0.8)", "a |0.8", "red|1.5", " cat|0.8")]
    [InlineData("(a:b) c", "a:b|1.1", " c|1")]
    [InlineData("(:1.2)", ":1.2|1.1")]
    [InlineData("a ) b ( c ) d", "a ) b ( c ) d|1")]
    [InlineData("(unclosed (one:1.2", "(unclosed (one:1.2|1")]
    [InlineData("x(y:2)z", "x|1", "y|2", "z|1")]
    [InlineData("(time 12:30) now", "time 12|30", " now|1")]
    [InlineData("((a:1.3) b)", "a|1.3", " b|1.1")]
    [InlineData("(a:nope) (b: 1.4 )", "a:nope|1.1", " |1", "b|1.4")]
    [InlineData(@"smile \(happy\) (very \(much\):1.2)", "smile (happy) |1", "very (much)|1.2")]
    [InlineData("")]
    [InlineData("()")]
    public void Parse_Prompts_GivesComfyUIsPieces(string prompt, params string[] expected) =>
        Assert.Equal(
            expected,
            WeightedPrompt
                .Parse(prompt)
                .Select(piece => FormattableString.Invariant($"{piece.Text}|{piece.Weight:0.######}"))
        );

    [Fact]
    public void Encode_WeightedToken_MovesItsStateAwayFromTheEmptyPrompts()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var model = models.Model("tiny-sd15");
        var (weighted, plain) = (new PromptEncoder(model, [], PromptSyntax.Weighted), new PromptEncoder(model, []));
        var (empty, even) = (plain.Encode("").States, plain.Encode("a red cat").States);

        var states = weighted.Encode("a (red:1.4) cat").States;

        var red = model.Tokenizer.Encode("red").Count; // the tiny vocabulary may spell it in several tokens
        var expected = even.clone();
        expected[0]
            .narrow(0, 2, red)
            .copy_(empty[0].narrow(0, 2, red) + (1.4 * (even[0].narrow(0, 2, red) - empty[0].narrow(0, 2, red))));
        Assert.True((states - expected).abs().max().item<float>() < 1e-6);
        Assert.True(weighted.Encode("a red cat").States.eq(even).all().item<bool>());
        Assert.True(new PromptEncoder(model, []).Encode("a (red:1.4) cat").States.ne(states).any().item<bool>());
    }

    [Fact]
    public void Encode_WeightedConcept_WeighsAllItsVectors()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var model = models.Model("tiny-sd15");
        var cat = ConceptFile.Read(ModelFixture.Expected("tiny-sd15", "learned_embeds-cat.safetensors"));
        var encoder = new PromptEncoder(model, [cat], PromptSyntax.Weighted);
        var (even, states) = (
            encoder.Encode($"a {cat.Placeholder} x").States,
            encoder.Encode($"a ({cat.Placeholder}:0.5) x").States
        );

        var moved = (states - even).abs().amax([2])[0].gt(0).nonzero().flatten().data<long>().ToArray();

        Assert.Equal(Enumerable.Range(2, cat.VectorCount).Select(i => (long)i), moved);
    }
}
