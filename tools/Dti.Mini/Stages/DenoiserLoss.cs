using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Schedulers;
using Dti.Mini.Models;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Stages;

/// <summary>The denoiser in training.</summary>
/// <param name="UNet">The denoiser.</param>
/// <param name="Head">Names objects from its features.</param>
internal sealed record Denoiser(UNet2DConditionModel UNet, ObjectHead Head);

/// <summary>
/// What the denoiser learns from: the error of v (arXiv 2202.00512); half of the timesteps are drawn evenly, half about
/// the middle (logit-normal, arXiv 2403.03206), where shapes are decided. That error says little of shapes: a lump of a
/// mug's size and colour is nearly as good as a mug. So a refined denoiser has three helps: cells of objects count
/// more; a head names objects from its features (as arXiv 2410.06940 has features foretell another network's); and a
/// frozen reader must find them in the latents that v speaks of (a perceptual loss within the latent space, as arXiv
/// 2401.00110).
/// </summary>
/// <param name="sampler">Encodes captions.</param>
/// <param name="schedule">The noise.</param>
/// <param name="reader">Finds objects in predicted latents; null: this help is left out.</param>
internal sealed class DenoiserLoss(MiniSampler sampler, DdpmProcess schedule, LatentReader? reader)
{
    private const double Naming = 0.03;
    private const double Drawing = 0.3;

    // From the one on, nothing can be read in predicted latents yet; up to the other, all of it counts.
    private const double Unreadable = 800;
    private const double Readable = 400;

    /// <summary>The loss of a batch.</summary>
    /// <param name="model">The denoiser.</param>
    /// <param name="store">Latents of pictures.</param>
    /// <param name="seed">Of their scenes.</param>
    /// <param name="indices">Which pictures.</param>
    /// <param name="dice">Chooses wordings, timesteps and noise.</param>
    /// <param name="dropout">Share of the captions that are left out.</param>
    public (Tensor Loss, Dictionary<string, double> Logs) Of(
        Denoiser model,
        LatentStore store,
        ulong seed,
        int[] indices,
        Dice dice,
        float dropout
    )
    {
        var scenes = indices.Select(index => Scene.Sample(seed, index)).ToArray();
        var states = sampler.Encode(
            scenes.Select(scene => (scene, dice.Chance(dropout) ? "" : Captions.SayMarked(scene, dice))),
            (ulong)dice.Int(int.MaxValue)
        );
        var x0 = store.Read(indices).to(ScalarType.Float32);
        using var generator = new Generator((ulong)dice.Int(int.MaxValue), CPU);
        var noise = randn(x0.shape, ScalarType.Float32, generator: generator);
        var timesteps = Timesteps(indices.Length, schedule.TrainTimesteps, generator);
        var noisy = schedule.AddNoise(x0, noise, timesteps).to(Precision.Compute);

        var features = new List<Tensor>();
        var velocity = model.UNet.Forward(noisy, timesteps, states, features: features).to(ScalarType.Float32);
        var errors = (velocity - schedule.Velocity(x0, noise, timesteps)).square();
        var logs = new Dictionary<string, double> { ["error"] = errors.mean().item<float>() };
        var side = (int)x0.shape[^1];
        var (cells, labels) = (ObjectWeights.Of(scenes, side), new ObjectLabels(scenes, side));
        // the last level but one has been brought up to the last one's size
        var named = model.Head.Loss(features[^2], labels);
        (logs["named"], logs["named_parts"]) = (named.Kinds, named.Parts);
        var loss = ((errors * cells).mean() / cells.mean()) + (Naming * named.Loss);
        if (reader is null)
        {
            return (loss, logs);
        }

        var predicted = schedule.Original(noisy.to(ScalarType.Float32), velocity, timesteps);
        var read = reader.Loss(
            ReaderStage.Seen(predicted, schedule, generator).to(Precision.Compute),
            labels,
            ((Unreadable - timesteps.to(ScalarType.Float32)) / (Unreadable - Readable)).clamp(0, 1)
        );
        (logs["read"], logs["read_parts"], logs["read_colour_error"]) = (read.Kinds, read.Parts, read.ColourError);
        return (loss + (Drawing * read.Loss), logs);
    }

    /// <summary>(B) int64: half uniform, half logit-normal.</summary>
    private static Tensor Timesteps(int count, int bound, Generator generator)
    {
        var even = rand([count / 2], generator: generator);
        var middle = randn([count - (count / 2)], generator: generator).sigmoid();
        return (cat([even, middle]) * bound).to(ScalarType.Int64).clamp(0, bound - 1);
    }
}
