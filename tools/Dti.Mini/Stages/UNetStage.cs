using System.Globalization;
using Dti.Engine.Models;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Sheets;
using Dti.Mini.Subjects;
using Dti.Mini.Training;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using static TorchSharp.torch;

namespace Dti.Mini.Stages;

/// <summary>
/// Stage 3: the denoiser, on the frozen text encoder and cached latents; and its refinement (see <see
/// cref="DenoiserLoss"/>).
/// </summary>
internal static class UNetStage
{
    private const int Batch = 32; // per replica
    private const float Dropout = 0.1f; // of captions
    private const string Head = "object_head";

    public static UNet2DConditionConfig Config(AutoencoderKLConfig vae, ClipTextConfig text) =>
        new()
        {
            InChannels = vae.LatentChannels,
            OutChannels = vae.LatentChannels,
            SampleSize = SceneRenderer.Side / vae.ScaleFactor,
            BlockOutChannels = [64, 112, 96],
            DownAttention = [true, true, false],
            UpAttention = [false, true, true],
            LayersPerBlock = 1,
            NumAttentionHeads = [2, 4, 3],
            TransformerLayersPerBlock = [1, 1, 1],
            CrossAttentionDim = text.HiddenSize,
            NormNumGroups = 8,
            NormEps = 1e-5,
            UseLinearProjection = true,
            FlipSinToCos = true,
            FreqShift = 0,
        };

    /// <param name="folder">The work folder.</param>
    /// <param name="threads">Replicas.</param>
    /// <param name="steps">Steps of this run.</param>
    /// <param name="leg">
    /// The number of the leg, from 1: each has scenes, wordings and noise of its own, and continues from the weights
    /// that the model folder holds.
    /// </param>
    public static void Run(string folder, int threads, int steps, int leg)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"unet-{leg}");
        var tokenizer = ClipTokenizer.Load(MiniWorld.TokenizerFolder);
        var textConfig = TextStage.Config(tokenizer.VocabularySize);
        var text = new ClipTextModel(
            textConfig,
            new WeightScope(new FrozenWeights(MiniWorld.WeightsOf("text_encoder")))
        );
        var vae = AutoencoderStage.Finished();
        var latents = LatentStore.Open(folder, MiniWorld.TrainSeed, MiniWorld.Pictures, vae, threads);
        var heldOut = LatentStore.Open(folder, MiniWorld.HeldOutSeed, 500, vae, threads);
        using var schedule = new DdpmProcess(MiniSampler.Schedule);
        var sampler = new MiniSampler(text, vae, tokenizer, WordsStage.Embedder(textConfig.HiddenSize));
        var loss = new DenoiserLoss(sampler, schedule, ReaderStage.Finished(folder, vae.Config.LatentChannels));
        var config = Config(vae.Config, textConfig);
        var weights = new FreshWeights(6_000_000, seed: 3, StartOf);
        var loop = new TrainingLoop<Denoiser>(
            folder,
            name,
            new LoopSettings(steps, 3e-3, 200, 0.01, 0.9995, Muon: true),
            weights,
            () =>
                new Denoiser(
                    new UNet2DConditionModel(config, new WeightScope(weights)),
                    new ObjectHead(config.BlockOutChannels[1], new WeightScope(weights).Sub(Head))
                ),
            threads,
            start: File.Exists(MiniWorld.WeightsOf("unet"))
                ? fresh => fresh.Read(MiniWorld.WeightsOf("unet"), apart: Head)
                : null
        );
        loop.Run(
            (model, step, replica) =>
            {
                var dice = Dice.OfStep(30 + (ulong)leg, step, replica);
                return loss.Of(
                    model,
                    latents,
                    MiniWorld.TrainSeed,
                    dice.Indices(Batch, MiniWorld.Pictures),
                    dice,
                    Dropout
                );
            },
            250,
            model =>
            {
                var (_, logs) = loss.Of(
                    model,
                    heldOut,
                    MiniWorld.HeldOutSeed,
                    [.. Enumerable.Range(0, 256)],
                    new Dice(32),
                    dropout: 0
                );
                DrawSheet(Path.Combine(folder, name + ".png"), sampler, model.UNet);
                return logs;
            }
        );
        ModelExport.UNet(
            config,
            loop.Averaged.Where(weight => !weight.Key.StartsWith(Head, StringComparison.Ordinal)).ToDictionary()
        );
    }

    /// <summary>
    /// The first twelve prompts; then held-out designs, row by row: as the world renders them, from embeddings, and
    /// from descriptions.
    /// </summary>
    private static void DrawSheet(string path, MiniSampler sampler, UNet2DConditionModel unet)
    {
        const int columns = 12;
        var scenes = Enumerable.Range(0, 2 * columns).Select(i => SubjectPhotos.Of(Design.HeldOut(i), i)[0]).ToArray();
        byte[][] Draw(Tensor states) => sampler.Sample(unet, states, Sampling.Sheet, seed: 1);
        var learnt = Draw(sampler.Encode(scenes.Select(scene => (scene, "a photo of a <0> in a meadow")), seed: null));
        var described = Draw(
            sampler.Encode(
                scenes.Select(scene =>
                    $"a photo of {DesignWords.Describe(scene.Objects[0].Designed!.Design)} in a meadow"
                )
            )
        );
        ContactSheet.Write(
            path,
            columns,
            [
                .. sampler.Sample(unet, [.. MiniSampler.Prompts.Take(columns)], Sampling.Sheet, seed: 1),
                .. Enumerable
                    .Range(0, 2)
                    .SelectMany(row =>
                        (byte[][])
                            [
                                .. scenes.Select(ContactSheet.Draw).Skip(row * columns).Take(columns),
                                .. learnt.Skip(row * columns).Take(columns),
                                .. described.Skip(row * columns).Take(columns),
                            ]
                    ),
            ]
        );
    }

    /// <summary>Residual branches start closed, so that a network starts as a shallow one.</summary>
    public static Start StartOf(string name, long[] shape) =>
        name.EndsWith("bias", StringComparison.Ordinal)
        || name.EndsWith("conv2.weight", StringComparison.Ordinal)
        || name.EndsWith("proj_out.weight", StringComparison.Ordinal)
        || name == "conv_out.weight"
            ? Start.Zero
        : shape.Length == 1 ? Start.One
        : Start.FanIn;
}
