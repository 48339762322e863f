using Dti.Engine.Imaging;
using Dti.Engine.Tests.Models;
using Dti.Engine.Training;

namespace Dti.Engine.Tests.Training;

public class CaptionTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Theory]
    [InlineData("a photo of {concept} on a table", "cat", "a photo of {} on a table")]
    [InlineData("a photo of {}, outdoors", "cat", "a photo of {}, outdoors")]
    [InlineData("A Cat on a sofa, another cat behind", "cat", "A {} on a sofa, another cat behind")]
    [InlineData("a white cat in snow", "white cat", "a {} in snow")]
    [InlineData("cats and catalogues", "cat", null)]
    [InlineData("a sofa", "", null)]
    [InlineData("a (big) thing", "(big) thing", "a {}")]
    public void Parse_Text_PutsTheConceptWhereItSays(string text, string initializer, string? expected) =>
        Assert.Equal(expected, PromptTemplates.Parse(text, initializer));

    [Fact]
    public void Load_CaptionThatDoesNotNameTheConcept_IsNamed()
    {
        var error = Assert.Throws<ValidationException>(() =>
            TrainingSet.Load([Photo(1), Photo(2) with { Caption = "a sofa" }], 64, ImageLimits.Default, "cat")
        );

        Assert.Equal("photos[1].caption", Assert.Single(error.Violations).Field);
        Assert.Contains("{concept}", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Next_PhotoWithACaption_IsTrainedWithItAndChangesNoOtherChoice()
    {
        string[] Captions(params Photo[] photos)
        {
            var model = models.Model("tiny-sd15");
            var settings = Settings(new TrainingOptions());
            using var sampler = new BatchSampler(
                model,
                settings,
                TrainingSet.Load(photos, 64, ImageLimits.Default, "dog")
            );
            return [.. Enumerable.Range(0, 8).Select(_ => Read(sampler.Next()))];
        }

        var plain = Captions(Photo(1), Photo(2));
        var captioned = Captions(Photo(1), Photo(2) with { Caption = "my dog in the snow" });

        Assert.Equal(4, captioned.Count(caption => caption == "my <x> in the snow"));
        Assert.DoesNotContain("my <x> in the snow", plain);
        Assert.All(plain.Zip(captioned).Where(pair => pair.Second != "my <x> in the snow"), pair =>
            Assert.Equal(pair.First, pair.Second)
        );
    }

    [Fact]
    public void Resolve_OwnTemplates_AreWhatItIsTrainedWith()
    {
        var settings = Settings(new TrainingOptions { Templates = ["a drawing of {concept}", "the dog asleep"] });
        using var sampler = new BatchSampler(
            models.Model("tiny-sd15"),
            settings,
            TrainingSet.Load([Photo(1)], 64, ImageLimits.Default)
        );

        var captions = Enumerable.Range(0, 20).Select(_ => Read(sampler.Next())).ToHashSet();

        Assert.Equal(["a drawing of <x>", "the <x> asleep"], captions.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Resolve_TemplateWithoutThePlace_IsNamed() =>
        Assert.Equal(
            "templates",
            Assert
                .Single(
                    Assert
                        .Throws<ValidationException>(() =>
                            Settings(new TrainingOptions { Templates = ["a {}", "nothing"] })
                        )
                        .Violations
                )
                .Field
        );

    private TrainingSettings Settings(TrainingOptions options) =>
        TrainingSettings.Resolve(
            options with
            {
                Resolution = 64,
                BatchSize = 1,
                Initializer = "dog",
                Seed = 4,
                CenterCrop = true,
            },
            "x",
            models.Model("tiny-sd15").Profile,
            () => 1
        );

    private string Read(TrainingBatch batch)
    {
        var tokenizer = models.Model("tiny-sd15").Tokenizer;
        var ids = batch.InputIds[0].data<long>().ToArray().Skip(1).TakeWhile(id => id != tokenizer.VocabularySize - 1);
        return string.Concat(
                ids.Select(id =>
                    id >= tokenizer.VocabularySize
                        ? "<x> "
                        : tokenizer.Decode((int)id).Replace("</w>", " ", StringComparison.Ordinal)
                )
            )
            .Trim();
    }

    private static Photo Photo(int number)
    {
        var pixels = new byte[64 * 64 * 3];
        new Random(number).NextBytes(pixels);
        return new Photo($"{number}.png", ImageCodec.Encode(new RgbImage(64, 64, pixels), ImageFormat.Png));
    }
}
