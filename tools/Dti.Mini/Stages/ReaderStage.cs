using Dti.Engine.Checkpoints;
using Dti.Engine.Schedulers;
using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Stages;

/// <summary>
/// Teaches a network to read objects from latents, which then helps the denoiser to learn; no part of the finished
/// model.
/// </summary>
internal static class ReaderStage
{
    /// <summary>
    /// Latents are read with the noise of a timestep below this, so that what is read is what can be seen, not what
    /// hides in their grain.
    /// </summary>
    public const int NoisiestTimestep = 400;

    private const int Batch = 64; // per replica

    public static void Run(string folder, int threads, int steps)
    {
        var vae = AutoencoderStage.Finished();
        var latents = LatentStore.Open(folder, MiniWorld.TrainSeed, MiniWorld.Pictures, vae, threads);
        var heldOut = LatentStore.Open(folder, MiniWorld.HeldOutSeed, 500, vae, threads);
        using var schedule = new DdpmProcess(MiniSampler.Schedule);
        var weights = new FreshWeights(2_000_000, seed: 5, UNetStage.StartOf);
        var loop = new TrainingLoop<LatentReader>(
            folder,
            "reader",
            new LoopSettings(steps, 5e-3, 100, 0.01, 0.998, Muon: true),
            weights,
            () => new LatentReader(vae.Config.LatentChannels, new WeightScope(weights)),
            threads
        );

        (Tensor Loss, Dictionary<string, double> Logs) Loss(
            LatentReader model,
            LatentStore store,
            ulong seed,
            int[] indices,
            Dice dice
        )
        {
            using var generator = new Generator((ulong)dice.Int(int.MaxValue), CPU);
            var x = Seen(store.Read(indices).to(ScalarType.Float32), schedule, generator);
            var read = model.Loss(
                x.to(Precision.Compute),
                new ObjectLabels([.. indices.Select(index => Scene.Sample(seed, index))], (int)x.shape[^1])
            );
            return (
                read.Loss,
                new()
                {
                    ["kinds"] = read.Kinds,
                    ["parts"] = read.Parts,
                    ["colour_error"] = read.ColourError,
                }
            );
        }

        loop.Run(
            (model, step, replica) =>
            {
                var dice = Dice.OfStep(51, step, replica);
                return Loss(model, latents, MiniWorld.TrainSeed, dice.Indices(Batch, MiniWorld.Pictures), dice);
            },
            250,
            model =>
            {
                var (loss, logs) = Loss(
                    model,
                    heldOut,
                    MiniWorld.HeldOutSeed,
                    [.. Enumerable.Range(0, 500)],
                    new Dice(52)
                );
                return new(logs) { ["loss"] = loss.item<float>() };
            }
        );
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(
            Weights(folder),
            loop.Averaged.ToDictionary(weight => weight.Key, weight => weight.Value.to(ScalarType.BFloat16))
        );
    }

    /// <summary>The finished reader; null: it has not been trained yet.</summary>
    /// <param name="folder">The work folder.</param>
    /// <param name="latentChannels">Channels of latents.</param>
    public static LatentReader? Finished(string folder, int latentChannels) =>
        File.Exists(Weights(folder))
            ? new LatentReader(latentChannels, new WeightScope(new FrozenWeights(Weights(folder))))
            : null;

    /// <summary>Latents as the reader is shown them, each with the noise of a timestep of its own.</summary>
    /// <param name="x0">(B, C, h, w) fp32</param>
    /// <param name="schedule">Of the noise.</param>
    /// <param name="generator">Of the noise.</param>
    public static Tensor Seen(Tensor x0, DdpmProcess schedule, Generator generator) =>
        schedule.AddNoise(
            x0,
            randn(x0.shape, ScalarType.Float32, generator: generator),
            randint(0, NoisiestTimestep, [x0.shape[0]], ScalarType.Int64, generator: generator)
        );

    private static string Weights(string folder) => Path.Combine(folder, "reader.safetensors");
}
