using Dti.Engine.Evaluation;
using Dti.Engine.Imaging;
using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Sheets;
using Dti.Mini.Stages;
using Dti.Mini.Text;
using Dti.Mini.Training;
using Dti.Mini.World;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Mini.Tests;

public class MiniJudgeTests
{
    private const int Pictures = 64;
    private static readonly string _folder = Path.Combine(Fixtures.Root, "..", "..", "models", "dti-mini-judge");
    private static readonly Scene[] _scenes =
    [
        .. Enumerable
            .Range(0, Pictures)
            .Select(i => DesignCaptions.WithFamilies(Scene.Sample(MiniWorld.HeldOutSeed, i))),
    ];

    [Fact]
    public void Load_ShippedJudge_FindsTheCaptionOfEachScene()
    {
        using var scope = NewDisposeScope();
        using var judge = Assert.IsAssignableFrom<IImageTextEncoder>(Evaluator.Load(_folder));

        var cosine = Similarity.Cosine(
            judge.EncodeImages(Drawn()),
            judge.EncodeTexts([.. _scenes.Select((scene, i) => Captions.Say(scene, new Dice((ulong)i)))])
        );

        var found = cosine.argmax(1).eq(arange(Pictures)).to(ScalarType.Float32).mean().item<float>();
        Assert.InRange(found, 0.6f, 1); // of 64 captions; by chance 0.016
        Assert.True(Similarity.Paired(cosine).Average() > cosine.mean().item<float>() + 0.3f);
    }

    [Fact]
    public void EncodeImages_AsTheJudgeOfTheStudies_SeesTheSame()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var judge = (MiniJudge)Evaluator.Load(_folder);
        var reader = new JudgeModel(
            judge.Vocabulary,
            new WeightScope(new FrozenWeights(Path.Combine(_folder, "model.safetensors"))),
            designs: true
        );

        var read = reader.Read(QualityStage.Stack([.. _scenes.Select(ContactSheet.Draw)])).Embedding;

        var cosine = Similarity.Paired(Similarity.Cosine(judge.EncodeImages(Drawn()), read));
        Assert.All(cosine, same => Assert.InRange(same, 0.998f, 1.001f)); // the reader computes in bf16
    }

    private static RgbImage[] Drawn() =>
        [.. _scenes.Select(scene => new RgbImage(SceneRenderer.Side, SceneRenderer.Side, ContactSheet.Draw(scene)))];
}
