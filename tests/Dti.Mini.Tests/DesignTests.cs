using Dti.Engine.Tokenization;
using Dti.Mini.Models;
using Dti.Mini.Sheets;
using Dti.Mini.Subjects;
using Dti.Mini.Text;
using Dti.Mini.Training;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Mini.Tests;

public class DesignTests
{
    private static readonly ClipTokenizer _tokenizer = ClipTokenizer.Load(
        Path.Combine(Fixtures.Repository, MiniWorld.TokenizerFolder)
    );

    [Fact]
    public void Named_AllNames_AreDistinctTokensOfClipAndDistinctDesigns()
    {
        Assert.True(DesignNames.All.Count >= 1_500);
        Assert.Equal(DesignNames.All.Count, DesignNames.All.Distinct().Count());
        Assert.All(DesignNames.All, name => Assert.True(PublishedVocabulary.Ids.ContainsKey(name + "</w>"), name));
        Assert.Equal(
            DesignNames.All.Count,
            Enumerable.Range(0, DesignNames.All.Count).Select(Design.Named).Distinct().Count()
        );
    }

    [Fact]
    public void HeldOut_Designs_AreNoNamedOnes() =>
        Assert.Empty(
            Enumerable
                .Range(0, 40)
                .Select(Design.HeldOut)
                .Intersect(Enumerable.Range(0, DesignNames.All.Count).Select(Design.Named))
        );

    [Fact]
    public void Sample_Colours_CanBeToldApart() => Assert.All(Enumerable.Range(0, 200).Select(Design.Named), design =>
        {
            Assert.True(Design.Distance(design.Main, design.Trim) > 0.2f);
            Assert.True(Design.Distance(design.Main, design.Second) > 0.2f);
        });

    [Fact]
    public void Of_AnyDesign_FillsItsBoxAndHardlyLeavesIt() =>
        Assert.All(Enumerable.Range(0, 500).Select(Design.Named), design =>
        {
            var bounds = ShapeBounds.Of(DesignShape.Of(design));
            Assert.InRange(bounds.Left, -1.25f, -0.4f);
            Assert.InRange(bounds.Right, 0.4f, 1.25f);
            Assert.InRange(bounds.Top, -1.17f, -0.6f);
            Assert.InRange(bounds.Bottom, 0.8f, 1.01f); // it stands on the ground
        });

    public static TheoryData<string> Changes => [.. _changes.Keys];

    private static readonly Dictionary<string, Func<Design, Design>> _changes = new()
    {
        ["family"] = design => design with { Family = Next(design.Family) },
        ["body"] = design => design with { Body = Next(design.Body) },
        ["top"] = design => design with { Top = Next(design.Top) },
        ["eyes"] = design => design with { Eyes = Next(design.Eyes) },
        ["sides"] = design => design with { Sides = Next(design.Sides) },
        ["mark"] = design => design with { Mark = Next(design.Mark) },
        ["pattern"] = design => design with { Pattern = Next(design.Pattern) },
        ["main colour"] = design => design with { Main = design.Trim },
        ["trim colour"] = design => design with { Trim = design.Second },
    };

    [Theory]
    [MemberData(nameof(Changes))]
    public void Render_OnePartChanged_IsSeen(string part) =>
        Assert.All(Enumerable.Range(0, 25).Select(Design.Named), design =>
        {
            static byte[] Draw(Design design) =>
                ContactSheet.Draw(SubjectPhotos.Of(design, seed: 1)[0] with { Style = Style.Flat });

            var changed = Draw(design)
                .Zip(Draw(_changes[part](design)), (a, b) => Math.Abs(a - b) > 24)
                .Count(differs => differs);

            Assert.True(changed > 150, $"{part} of {design}: {changed} bytes differ"); // 50 of 16,384 pixels
        });

    [Theory]
    [InlineData(1, 4)]
    [InlineData(2, 0)]
    public void Apply_Modifier_ChangesWhatItSays(int seed, int index)
    {
        var design = Design.Named(index);
        for (var i = 0; i < 50; i++)
        {
            var modifier = DesignModifier.Sample(new Dice((ulong)seed, (ulong)i), design);
            var painted = modifier.Apply(design);
            Assert.Equal((design.Family, design.Top, design.Eyes), (painted.Family, painted.Top, painted.Eyes));
            Assert.NotEqual(design, painted);
        }
    }

    [Fact]
    public void Parameters_OfDifferentDesigns_Differ()
    {
        var all = Enumerable
            .Range(0, 200)
            .Select(i => string.Join(' ', DesignParameters.Of(Design.Named(i))))
            .ToArray();
        Assert.Equal(all.Length, all.Distinct().Count());
        Assert.All(DesignParameters.Of(Design.Named(0)), number => Assert.InRange(number, -1, 1));
        Assert.Equal(DesignParameters.Count, DesignParameters.Of(Design.Named(0)).Length);
    }

    [Fact]
    public void Describe_Design_NamesEveryPart()
    {
        var design = Design.Named(0) with
        {
            Family = DesignFamily.Jug,
            Body = BodyShape.Tall,
            Top = Top.Horns,
            Eyes = Eyes.Glasses,
            Sides = Sides.Wings,
            Mark = Mark.Heart,
            Pattern = Pattern.Spotted,
        };

        var said = DesignWords.Describe(design);

        Assert.All((string[])["tall", "jug", "horns", "glasses", "wings", "heart", "spots"], word =>
            Assert.Contains(word, said, StringComparison.Ordinal)
        );
    }

    [Fact]
    public void Captions_ScenesWithDesigns_PointAtTheLastTokenOfEachObject()
    {
        var scenes = Enumerable
            .Range(0, 300)
            .Select(i => DesignCaptions.WithoutNames(Scene.Sample(Design.TrainScenes, i)))
            .ToArray();
        var captions = new DesignCaptions(
            _tokenizer,
            scenes.Select((scene, i) => (scene, Captions.SayMarked(scene, new Dice(1, (ulong)i))))
        );

        Assert.True(captions.Objects.Count >= scenes.Length);
        Assert.All(captions.Objects.Where(o => o.Object.Designed is null && o.Object.Shape.Name == "cat"), o =>
            Assert.Contains(
                captions.Ids[o.Caption, o.Token].item<long>(),
                _tokenizer.Encode("cat pattern spots stripes").Select(id => (long)id)
            )
        );
        Assert.All(captions.Objects, o =>
            Assert.NotEqual(_tokenizer.EosTokenId, captions.Ids[o.Caption, o.Token].item<long>())
        );
        Assert.Equal(captions.Parameters!.shape[0], captions.Ids.ge(_tokenizer.VocabularySize).sum().item<long>());
    }

    [Fact]
    public void Say_Always_LeavesNoMark() =>
        Assert.All(Enumerable.Range(0, 300), i =>
            Assert.DoesNotContain('\u0001', Captions.Say(Scene.Sample(Design.TrainScenes, i), new Dice(1, (ulong)i)))
        );

    [Fact]
    public void Embed_WithNoise_KeepsTheNorm()
    {
        using var scope = NewDisposeScope();
        var weights = new FreshWeights(200_000, seed: 1, (_, shape) => shape.Length == 1 ? Start.Zero : Start.FanIn);
        var embedder = new DesignEmbedder(160, new Engine.Weights.WeightScope(weights));
        using var generator = new Generator(1, CPU);
        var parameters = tensor(DesignParameters.Of(Design.Named(0)), [1, DesignParameters.Count])
            .expand(32, -1)
            .to(Precision.Compute);

        var plain = embedder.Embed(parameters);
        var noisy = embedder.Embed(parameters, generator);

        Assert.All(noisy.norm(1, p: 2f).data<float>(), norm => Assert.Equal(DesignEmbedder.Norm, norm, 1e-3));
        Assert.True((plain - noisy).norm(1, p: 2f).max().item<float>() > 0.1 * DesignEmbedder.Norm);
    }

    private static T Next<T>(T value)
        where T : struct, Enum
    {
        var all = Enum.GetValues<T>();
        return all[(Array.IndexOf(all, value) + 1) % all.Length];
    }
}
