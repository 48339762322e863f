using System.Globalization;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Tokenization;
using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Sheets;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Stages;

/// <summary>
/// How often the finished model draws what 500 held-out captions ask for, as the judge reads it; and how well the judge
/// reads drawn pictures.
/// </summary>
internal static class QualityStage
{
    /// <summary>Rows by who drew the pictures.</summary>
    public static ResultsFile Results { get; } = new("quality.csv");

    private const int Count = 500;
    private const int Batch = 20;

    // The judge of the world without designs reads shapes better than one that has to find designs, too.
    private const int PlainVocabulary = 1_112;

    /// <param name="folder">The work folder.</param>
    /// <param name="sampling">How images are sampled.</param>
    public static void Run(string folder, Sampling sampling)
    {
        using var frozen = no_grad();
        var tokenizer = ClipTokenizer.Load(MiniWorld.TokenizerFolder);
        var judge = new JudgeModel(PlainVocabulary, new WeightScope(new FrozenWeights(MiniWorld.PlainJudgeFile)));
        var scenes = Enumerable.Range(0, Count).Select(i => Scene.Sample(MiniWorld.PlainHeldOutSeed, i)).ToArray();
        string[] captions =
        [
            .. scenes.Select((scene, i) => Captions.Say(scene, new Dice(41, (ulong)i), everything: true)),
        ];

        var model = (StableDiffusionProfile)ModelFamilies.BuiltIn.Read(MiniWorld.ModelFolder);
        var weights = (string component) => new WeightScope(new FrozenWeights(MiniWorld.WeightsOf(component)));
        var sampler = new MiniSampler(
            new ClipTextModel(model.TextConfig, weights("text_encoder")),
            new AutoencoderKL(model.VaeConfig, weights("vae")),
            tokenizer
        );
        var unet = new UNet2DConditionModel(model.UNetConfig, weights("unet"));
        var drawn = new List<byte[]>();
        for (var first = 0; first < Count; first += Batch)
        {
            drawn.AddRange(sampler.Sample(unet, captions[first..(first + Batch)], sampling, seed: first));
            Console.Write($"\rdrawn {drawn.Count} of {Count}");
        }

        using var store = PictureStore.Open(folder, MiniWorld.PlainHeldOutSeed, Count);
        Results.Add("drawn by the world", "-", JudgeStage.Accuracy(judge, store, scenes));
        Results.Add(
            "drawn by dti-mini",
            string.Create(CultureInfo.InvariantCulture, $"guidance {sampling.Guidance}"),
            JudgeStage.Accuracy(judge, (from, count) => Stack(drawn.GetRange(from, count)), scenes)
        );
        ContactSheet.Write(Path.Combine(folder, $"quality-{sampling.Guidance}.png"), 10, drawn[..100]);
        File.WriteAllLines(Path.Combine(folder, "quality.txt"), captions);
    }

    /// <summary>Pictures of (128, 128, 3) bytes as (B, 3, 128, 128) bf16 in [−1, 1].</summary>
    public static Tensor Stack(IReadOnlyList<byte[]> pictures) =>
        stack([
                .. pictures.Select(picture =>
                    tensor(picture, [SceneRenderer.Side, SceneRenderer.Side, 3])
                        .to(ScalarType.Float32)
                        .div(127.5)
                        .sub(1)
                        .to(Precision.Compute)
                        .permute(2, 0, 1)
                ),
            ])
            .contiguous();
}
