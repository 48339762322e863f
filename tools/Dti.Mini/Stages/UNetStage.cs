using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using Dti.Mini.Models;
using Dti.Mini.Sheets;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Stages;

/// <summary>
/// Stage 3: the denoiser, on the frozen text encoder and cached latents. It predicts v (arXiv 2202.00512); half of the timesteps
/// are drawn evenly, half about the middle (logit-normal, arXiv 2403.03206), where shapes are decided; a tenth of the captions is dropped.
/// </summary>
internal static class UNetStage
{
    private const int Batch = 32; // per replica
    private const double Dropout = 0.1;

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
    /// <param name="refine">Go on from the finished denoiser, with pictures and noise of its own and half the learning rate.</param>
    public static void Run(string folder, int threads, int steps, bool refine)
    {
        var name = refine ? "unet-refined" : "unet";
        var weightsFile = Path.Combine(MiniWorld.ModelFolder, "unet", "diffusion_pytorch_model.safetensors");
        var tokenizer = ClipTokenizer.Load(MiniWorld.TokenizerFolder);
        var textConfig = TextStage.Config(tokenizer.VocabularySize);
        var text = new ClipTextModel(textConfig, new WeightScope(new FrozenWeights(Path.Combine(MiniWorld.ModelFolder, "text_encoder", "model.safetensors"))));
        var vaeConfig = AutoencoderStage.Config with { ScalingFactor = ScalingFactor() };
        var vae = new AutoencoderKL(vaeConfig, new WeightScope(new FrozenWeights(Path.Combine(MiniWorld.ModelFolder, "vae", "diffusion_pytorch_model.safetensors"))));
        var latents = LatentStore.Open(folder, MiniWorld.TrainSeed, MiniWorld.Pictures, vae, threads);
        var heldOut = LatentStore.Open(folder, MiniWorld.HeldOutSeed, 500, vae, threads);
        var schedule = new NoiseSchedule(MiniSampler.Schedule);
        var config = Config(vaeConfig, textConfig);
        var weights = new FreshWeights(6_000_000, seed: 3, StartOf);
        var loop = new TrainingLoop<UNet2DConditionModel>(
            folder, name, new LoopSettings(steps, refine ? 2e-3 : 4e-3, 200, 0.01, 0.9995, Muon: true), weights,
            () => new UNet2DConditionModel(config, new WeightScope(weights)), threads, from: refine ? weightsFile : null);
        var sampler = new MiniSampler(text, vae, tokenizer);

        (Tensor Loss, Dictionary<string, double> Logs) Loss(UNet2DConditionModel model, LatentStore store, ulong seed, int[] indices, Dice dice, double dropout, bool weighted)
        {
            var scenes = indices.Select(index => Scene.Sample(seed, index)).ToArray();
            var captions = scenes.Select(scene => dice.Chance((float)dropout) ? "" : Captions.Say(scene, dice));
            var states = sampler.Encode(captions);
            var x0 = store.Read(indices).to(ScalarType.Float32);
            using var generator = new Generator((ulong)dice.Int(int.MaxValue), CPU);
            var noise = randn(x0.shape, ScalarType.Float32, generator: generator);
            var timesteps = Timesteps(indices.Length, schedule.TrainTimesteps, generator);
            var noisy = schedule.AddNoise(x0, noise, timesteps).to(ScalarType.BFloat16);
            var errors = (model.Forward(noisy, timesteps, states).to(ScalarType.Float32) - schedule.Velocity(x0, noise, timesteps)).square();
            var cells = weighted ? ObjectWeights.Of(scenes, config.SampleSize) : ones(1);
            return ((errors * cells).mean() / cells.mean(), []);
        }

        loop.Run(
            (model, step, replica) =>
            {
                var dice = new Dice(refine ? 33UL : 31UL, (ulong)((step * 16) + replica));
                return Loss(model, latents, MiniWorld.TrainSeed, [.. Enumerable.Range(0, Batch).Select(_ => dice.Int(MiniWorld.Pictures))], dice, Dropout, weighted: refine);
            },
            500,
            model =>
            {
                var (loss, _) = Loss(model, heldOut, MiniWorld.HeldOutSeed, [.. Enumerable.Range(0, 256)], new Dice(32), dropout: 0, weighted: false);
                var pictures = sampler.Sample(model, MiniSampler.Prompts, guidance: 4, steps: 25, seed: 1);
                ContactSheet.Write(Path.Combine(folder, name + ".png"), 6, pictures);
                return new() { ["loss"] = loss.item<float>() };
            });
        ModelExport.UNet(config, loop.Averaged);
    }

    /// <summary>(B) int64: half uniform, half logit-normal.</summary>
    private static Tensor Timesteps(int count, int bound, Generator generator)
    {
        var even = rand([count / 2], generator: generator);
        var middle = randn([count - (count / 2)], generator: generator).sigmoid();
        return (cat([even, middle]) * bound).to(ScalarType.Int64).clamp(0, bound - 1);
    }

    private static double ScalingFactor()
    {
        using var config = JsonDocument.Parse(File.ReadAllText(Path.Combine(MiniWorld.ModelFolder, "vae", "config.json")));
        return config.RootElement.GetProperty("scaling_factor").GetDouble();
    }

    // Residual branches start closed, so that the network starts as a shallow one.
    private static Start StartOf(string name, long[] shape) =>
        name.EndsWith("bias", StringComparison.Ordinal) || name.EndsWith("conv2.weight", StringComparison.Ordinal) || name.EndsWith("proj_out.weight", StringComparison.Ordinal) || name == "conv_out.weight" ? Start.Zero
        : shape.Length == 1 ? Start.One
        : Start.FanIn;
}
