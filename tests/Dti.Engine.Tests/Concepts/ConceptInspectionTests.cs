using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Tests.Models;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Concepts;

public class ConceptInspectionTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Fact]
    public void Of_AWordOfTheVocabulary_FindsItself()
    {
        var model = models.Model("tiny-sd15");
        var id = model.Tokenizer.Encode("dog").Single();
        var row = model.TextEncoder.TokenEmbedding[id].data<float>().ToArray();
        var concept = new ConceptEmbedding("<x>", [DirectionalVectors.FromEmbeddings([row])]);

        var vector = Assert.Single(ConceptInspection.Of(model.Profile, concept, "dog", nearest: 3).Vectors);

        Assert.Equal(3, vector.Nearest.Count);
        Assert.Equal("dog", vector.Nearest[0].Token);
        Assert.Equal(1, vector.Nearest[0].Cosine, 1e-5);
        Assert.Equal(0, vector.AngleDegrees!.Value, 0.05);
        Assert.Equal(Math.Sqrt(row.Sum(x => (double)x * x)), vector.Norm, 1e-5);
    }

    [Fact]
    public void Of_LongerVectors_PositionIsHarderToRead()
    {
        var model = models.Model("tiny-sd15");
        var row = model.TextEncoder.TokenEmbedding[model.Tokenizer.Encode("dog").Single()].data<float>().ToArray();
        var found = new[] { 1f, 2f, 4f, 8f, 16f }
            .Select(factor =>
                ConceptInspection.Of(
                    model.Profile,
                    new ConceptEmbedding(
                        "<x>",
                        [
                            DirectionalVectors.FromEmbeddings([
                                [.. row.Select(x => x * factor)],
                            ]),
                        ]
                    ),
                    null
                )
            )
            .ToArray();

        Assert.All(found, inspection => Assert.Null(inspection.Vectors[0].AngleDegrees));
        var readable = found.Select(inspection => inspection.Vectors[0].PositionReadability).ToArray();
        Assert.Equal(readable.OrderDescending(), readable);
        Assert.InRange(readable[0], found[0].TypicalReadability / 2, found[0].TypicalReadability * 2);
        Assert.InRange(readable[4] / readable[3], 0.2, 0.3); // the share falls as the square of the norm
    }

    [Fact]
    public void Readability_NoPositionOrNothingElse_IsZeroOrOne()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        Assert.Equal(0, PositionReadability.Of(randn([3, 64], generator: generator), zeros(10, 64)), 1e-6);
        Assert.Equal(1, PositionReadability.Of(zeros(3, 64), randn([4000, 64], generator: generator)), 0.01);
    }

    [Fact]
    public void Of_ConceptOfAnotherWidth_IsRefused()
    {
        var concept = new ConceptEmbedding(
            "<x>",
            [
                DirectionalVectors.FromEmbeddings([
                    [1f, 2f, 3f],
                ]),
            ]
        );
        Assert.Throws<DtiException>(() => ConceptInspection.Of(models.Model("tiny-sd15").Profile, concept, null));
    }
}
