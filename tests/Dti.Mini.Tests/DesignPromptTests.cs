using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Tokenization;
using Dti.Engine.Training;
using Dti.Mini.Study;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using Dti.Mini.World.Shapes;
using Dti.Tests;

namespace Dti.Mini.Tests;

public class DesignPromptTests
{
    private static readonly Design _design = Design.HeldOut(0);

    private static readonly ReadScene _scene = new(
        Place.Beach,
        Style.Pixel,
        _design.Family,
        Found: [.. Enumerable.Range(0, 36).Select(kind => kind == ShapeCatalogue.IndexOf(Outdoors.Mushroom))],
        Colours: new int[30], // red
        Relations: [.. Enumerable.Repeat(Relation.RightOf, 30)]
    );

    [Fact]
    public void Of_AnyDesign_HasEveryGroupAndWordsThatTheModelKnows()
    {
        var tokenizer = ClipTokenizer.Load(Path.Combine(Fixtures.Repository, MiniWorld.TokenizerFolder));
        var prompts = Enumerable.Range(0, 40).SelectMany(index => DesignPrompts.Of(Design.HeldOut(index))).ToArray();

        Assert.Equal(Enum.GetValues<PromptGroup>(), prompts.Select(prompt => prompt.Group).Distinct().Order());
        Assert.All(prompts.Select(prompt => prompt.Text).Distinct(), text =>
        {
            var words = text.Replace("{concept}", "cat", StringComparison.Ordinal)
                .Replace("{other}", "dog", StringComparison.Ordinal)
                .Split(' ');
            Assert.All(words, word => Assert.Single(tokenizer.Encode(word)));
        });
    }

    [Fact]
    public void Of_Modifiers_AskForWhatTheDesignIsNot() =>
        Assert.All(Enumerable.Range(0, 40).Select(Design.HeldOut), design =>
            Assert.All(DesignPrompts.Of(design).Where(prompt => prompt.Modifier is not null), prompt =>
                Assert.Equal(0, prompt.Score(_scene, Read(design), design))
            )
        );

    [Fact]
    public void Score_WhatIsAskedIsThere_IsOne()
    {
        foreach (var prompt in DesignPrompts.Of(_design).Where(prompt => prompt.Modifier is not null))
        {
            var read = Read(prompt.Modifier!.Apply(_design)) with { Material = prompt.Modifier.Material };
            Assert.Equal(1, prompt.Score(_scene, read, _design));
        }
    }

    [Fact]
    public void Score_PartOfWhatIsAskedIsThere_IsItsShare()
    {
        double Score(string text) =>
            DesignPrompts.Of(_design).Single(prompt => prompt.Text == text).Score(_scene, Read(_design), _design);

        Assert.Equal(1, Score("pixel art of a {concept} on the beach"));
        Assert.Equal(0, Score("a neon sign of a {concept} underwater"));
        // a red mushroom, on the other side; and no car
        Assert.Equal(2 / 3.0, Score("a photo of a red mushroom to the left of a {concept} in a meadow"), 1e-9);
        Assert.Equal(0, Score("a photo of a blue car to the right of a {concept} in the snow"));
    }

    [Fact]
    public void Read_OfTheDesignItself_HasNoErrors()
    {
        var read = Read(_design);

        Assert.Equal(1, read.PartsRight(_design));
        Assert.Equal(0, read.ColourError(_design), 1e-6);
        Assert.Equal(0, read.ProportionError(_design), 1e-6);
        Assert.InRange(read.PartsRight(Design.HeldOut(1)), 0, 0.99);
        Assert.True(read.ColourError(Design.HeldOut(1)) > 0.05);
    }

    [Fact]
    public void After_TestTimeAdjustment_GoesPartOfTheWayToTheWord()
    {
        var profile = Dti.Engine.Models.Families.ModelFamilies.BuiltIn.Read(
            Path.Combine(Fixtures.Repository, MiniWorld.ModelFolder)
        );
        var concept = new ConceptEmbedding(
            "<x>",
            [
                DirectionalVectors.FromEmbeddings([
                    [3, 0],
                ]),
            ]
        );
        var word = DirectionalVectors.FromEmbeddings([
            [0, 1],
        ]);
        var method = new StudyMethod("tea", TrainingMethod.TextualInversion, 0.02, 1, Adjustment: Adjustment.TestTime);

        var adjusted = method.After(concept, profile, word).Encoders[0];

        Assert.Equal(2, adjusted.Magnitudes[0], 1e-5); // half of the way from 3 to 1
        Assert.Equal(18, Math.Atan2(adjusted.Direction(0)[1], adjusted.Direction(0)[0]) * 180 / Math.PI, 1e-3);
        Assert.Same(concept, (method with { Adjustment = Adjustment.None }).After(concept, profile, word));
    }

    [Fact]
    public void Folder_MethodsThatTrainAlike_ShareIt()
    {
        var method = new StudyMethod("dti", TrainingMethod.Directional, 0.04, 200);

        Assert.Equal(method.Folder, (method with { Adjustment = Adjustment.Rescaled }).Folder);
        Assert.NotEqual(method.Folder, (method with { Schedule = LearningRateSchedule.Cosine }).Folder);
        Assert.NotEqual(method.Folder, (method with { Magnitude = MagnitudeChoice.Initializer }).Folder);
        Assert.NotEqual(method.Folder, (method with { KappaSchedule = KappaSchedule.Cosine }).Folder);
        Assert.NotEqual(method.Folder, (method with { Vectors = 2 }).Folder);
        Assert.NotEqual(method.Folder, (method with { Start = TrainingStart.Photos }).Folder);
        Assert.NotEqual(method.Folder, (method with { InitialWord = InitialWord.NearestName }).Folder);
        Assert.NotEqual(method.Folder, (method with { StopsEarly = true }).Folder);
    }

    [Fact]
    public void Lists_MethodsOfOneName_AreOneMethod() =>
        Assert.All(
            StudyMethods
                .Official.Concat(StudyMethods.Rates)
                .Concat(StudyMethods.Lengths)
                .Concat(StudyMethods.Variants)
                .GroupBy(method => method.Name),
            named => Assert.Single(named.Distinct())
        );

    [Fact]
    public void Progress_BetweenTwoReadings_IsTheShareOfTheWay()
    {
        var (start, end) = (Read(_design), Read(Design.HeldOut(1)));
        var quarter = start with
        {
            Colours = [.. start.Colours.Zip(end.Colours, (from, to) => from + ((to - from) / 4))],
        };

        Assert.Equal(0, start.Progress(start, end), 1e-5);
        Assert.Equal(0.25, quarter.Progress(start, end), 1e-5);
        Assert.Equal(1, end.Progress(start, end), 1e-5);
        Assert.Equal(0, end.Progress(start, start));
    }

    [Fact]
    public void PartsOfEither_PartsOfBothDesigns_AreRightAndOthersAreNot()
    {
        var (start, end) = (_design, Design.HeldOut(1));
        var mixed = Read(start) with
        {
            Parts =
            [
                .. DesignParameters
                    .Parts(start)
                    .Zip(DesignParameters.Parts(end))
                    .Select((part, i) => i % 2 == 0 ? part.First : part.Second),
            ],
        };

        Assert.Equal(1, mixed.PartsOfEither(start, end));
        Assert.Equal(6 / 7.0, (mixed with { Parts = [-1, .. mixed.Parts.Skip(1)] }).PartsOfEither(start, end), 1e-9);
        Assert.True(mixed.PartsRight(start) < 1 && mixed.PartsRight(end) < 1);
    }

    private static ReadDesign Read(Design design) =>
        new(
            DesignParameters.Parts(design),
            DesignParameters.ColoursOf(design),
            DesignParameters.ProportionsOf(design),
            Material.None
        );
}
