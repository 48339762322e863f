using Dti.Engine.Models;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Sheets;
using Dti.Mini.Training;
using Dti.Mini.World;

namespace Dti.Mini.Stages;

/// <summary>Stage 3: the denoiser, on the frozen text encoder and cached latents; and its refinement (see <see cref="DenoiserLoss"/>).</summary>
internal static class UNetStage
{
    private const int Batch = 32; // per replica
    private const float Dropout = 0.1f; // of captions
    private const string Head = "object_head";

    public static UNet2DConditionConfig Config(AutoencoderKLConfig vae, ClipTextConfig text) => new()
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
    /// <param name="refine">Go on from the finished denoiser, with pictures and noise of its own.</param>
    public static void Run(string folder, int threads, int steps, bool refine)
    {
        var name = refine ? "unet-refined" : "unet";
        var tokenizer = ClipTokenizer.Load(MiniWorld.TokenizerFolder);
        var textConfig = TextStage.Config(tokenizer.VocabularySize);
        var text = new ClipTextModel(textConfig, new WeightScope(new FrozenWeights(MiniWorld.WeightsOf("text_encoder"))));
        var vae = AutoencoderStage.Finished();
        var latents = LatentStore.Open(folder, MiniWorld.TrainSeed, MiniWorld.Pictures, vae, threads);
        var heldOut = LatentStore.Open(folder, MiniWorld.HeldOutSeed, 500, vae, threads);
        using var schedule = new NoiseSchedule(MiniSampler.Schedule);
        var sampler = new MiniSampler(text, vae, tokenizer);
        var loss = new DenoiserLoss(sampler, schedule, refine ? ReaderStage.Finished(folder, vae.Config.LatentChannels) : null);
        var config = Config(vae.Config, textConfig);
        var weights = new FreshWeights(6_000_000, seed: 3, StartOf);
        var loop = new TrainingLoop<Denoiser>(
            folder, name, new LoopSettings(steps, refine ? 3e-3 : 4e-3, 200, 0.01, 0.9995, Muon: true), weights,
            () => new Denoiser(
                new UNet2DConditionModel(config, new WeightScope(weights)),
                refine ? new ObjectHead(config.BlockOutChannels[1], new WeightScope(weights).Sub(Head)) : null),
            threads,
            start: refine ? fresh => fresh.Read(MiniWorld.WeightsOf("unet"), apart: Head) : null);
        loop.Run(
            (model, step, replica) =>
            {
                var dice = Dice.OfStep(refine ? 33UL : 31UL, step, replica);
                return loss.Of(model, latents, MiniWorld.TrainSeed, dice.Indices(Batch, MiniWorld.Pictures), dice, Dropout);
            },
            250,
            model =>
            {
                var (_, logs) = loss.Of(model, heldOut, MiniWorld.HeldOutSeed, [.. Enumerable.Range(0, 256)], new Dice(32), dropout: 0);
                ContactSheet.Write(Path.Combine(folder, name + ".png"), 6, sampler.Sample(model.UNet, MiniSampler.Prompts, guidance: 4, steps: 25, seed: 1));
                return logs;
            });
        ModelExport.UNet(config, loop.Averaged.Where(weight => !weight.Key.StartsWith(Head, StringComparison.Ordinal)).ToDictionary());
    }

    /// <summary>Residual branches start closed, so that a network starts as a shallow one.</summary>
    public static Start StartOf(string name, long[] shape) =>
        name.EndsWith("bias", StringComparison.Ordinal) || name.EndsWith("conv2.weight", StringComparison.Ordinal) || name.EndsWith("proj_out.weight", StringComparison.Ordinal) || name == "conv_out.weight" ? Start.Zero
        : shape.Length == 1 ? Start.One
        : Start.FanIn;
}
