using Dti.Engine.Tokenization;
using Dti.Engine.Training;
using Dti.Mini.World;
using Dti.Tests;

namespace Dti.Mini.Tests;

public class CaptionTests
{
    private static readonly ClipTokenizer _tokenizer = ClipTokenizer.Load(
        Path.Combine(Fixtures.Repository, MiniWorld.TokenizerFolder)
    );

    [Fact]
    public void Say_ManyScenes_IsFromTerseToLongAndNeverCut()
    {
        var lengths = Enumerable
            .Range(0, 3000)
            .Select(i => _tokenizer.Encode(Captions.Say(Scene.Sample(1, i), new Dice(9, (ulong)i))).Count)
            .ToArray();

        Assert.InRange(lengths.Min(), 2, 6);
        Assert.InRange(lengths.Max(), 50, 75);
        Assert.InRange(lengths.Average(), 12, 30);
    }

    [Fact]
    public void Say_SameScene_HasManyWordings()
    {
        var scene = Scene.Sample(1, 3);
        Assert.True(
            Enumerable.Range(0, 100).Select(i => Captions.Say(scene, new Dice(1, (ulong)i))).Distinct().Count() > 60
        );
    }

    [Fact]
    public void Vocabulary_WordsOfCaptionsAndTemplates_AreWholeTokensOrTheTokensOfClip()
    {
        foreach (
            var word in Captions
                .Words.Concat(PromptTemplates.Objects)
                .SelectMany(text => text.Split([' ', '{', '}'], StringSplitOptions.RemoveEmptyEntries))
                .Where(word => word.All(char.IsLetter))
                .Distinct()
        )
        {
            Assert.True(_tokenizer.Encode(word).Count <= 2, $"'{word}' is {_tokenizer.Encode(word).Count} tokens");
        }
    }

    [Fact]
    public void Vocabulary_AnyOtherText_IsStillSpelt() => Assert.InRange(_tokenizer.Encode("zqxjk λ 7").Count, 5, 9);
}
