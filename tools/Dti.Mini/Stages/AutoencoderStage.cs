using System.Text.Json;
using Dti.Engine.Imaging;
using Dti.Engine.Models;
using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Sheets;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Stages;

/// <summary>
/// Stage 2: the autoencoder, from crops of pictures. Absolute error, at full and at half size, error of edges, and a
/// little KL.
/// </summary>
internal static class AutoencoderStage
{
    private const int Batch = 16; // per replica
    private const int Crop = 64;

    public static AutoencoderKLConfig Config { get; } =
        new()
        {
            BlockOutChannels = [16, 32, 64, 96],
            LayersPerBlock = 1,
            LatentChannels = 8,
            NormNumGroups = 8,
            ScalingFactor = 1,
        };

    public static void Run(string folder, int threads, int steps)
    {
        using var pictures = PictureStore.Open(folder, MiniWorld.TrainSeed, MiniWorld.Pictures);
        using var heldOut = PictureStore.Open(folder, MiniWorld.HeldOutSeed, 500);
        var weights = new FreshWeights(4_000_000, seed: 2, StartOf);
        var loop = new TrainingLoop<AutoencoderKL>(
            folder,
            "vae",
            new LoopSettings(steps, 1.5e-3, 200, 0.01, 0.998),
            weights,
            () => new AutoencoderKL(Config, new WeightScope(weights)),
            threads
        );
        var test = heldOut.Read([.. Enumerable.Range(0, 32)]);
        loop.Run(
            (model, step, replica) =>
            {
                var image = Crops(pictures, Dice.OfStep(21, step, replica));
                var distribution = model.Encode(image);
                var noise = randn(
                        distribution.Mean.shape,
                        ScalarType.Float32,
                        generator: new Generator((ulong)((step * 16) + replica), CPU)
                    )
                    .to(image.dtype);
                var decoded = model.Decode(distribution.Sample(noise));
                var pixels = (decoded - image).abs().to(ScalarType.Float32).mean();
                var half = (nn.functional.avg_pool2d(decoded, 2) - nn.functional.avg_pool2d(image, 2))
                    .abs()
                    .to(ScalarType.Float32)
                    .mean();
                var edges = (Differences(decoded) - Differences(image)).abs().to(ScalarType.Float32).mean();
                var (mean, logVar) = (
                    distribution.Mean.to(ScalarType.Float32),
                    distribution.LogVar!.to(ScalarType.Float32)
                );
                var divergence = 0.5 * (mean.square() + logVar.exp() - 1 - logVar).mean();
                return (
                    pixels + half + edges + (2e-4 * divergence),
                    new()
                    {
                        ["pixels"] = pixels.item<float>(),
                        ["half"] = half.item<float>(),
                        ["edges"] = edges.item<float>(),
                        ["kl"] = divergence.item<float>(),
                    }
                );
            },
            250,
            model =>
            {
                var mean = model.Encode(test).Mean;
                var error = (model.Decode(mean).clamp(-1, 1) - test)
                    .to(ScalarType.Float32)
                    .square()
                    .mean()
                    .item<float>();
                return new()
                {
                    ["psnr"] = 10 * Math.Log10(4 / error),
                    ["latent_std"] = mean.to(ScalarType.Float32).std().item<float>(),
                };
            }
        );
        var deviation = loop.WithAverage(model =>
            model.Encode(pictures.Read([.. Enumerable.Range(0, 256)])).Mean.to(ScalarType.Float32).std().item<float>()
        );
        ModelExport.Vae(Config, 1 / deviation, loop.Averaged);
        ContactSheet.Write(Path.Combine(folder, "vae.png"), 8, loop.WithAverage(model => Pairs(model, test)));
    }

    /// <summary>The finished autoencoder.</summary>
    public static AutoencoderKL Finished()
    {
        using var json = JsonDocument.Parse(
            File.ReadAllText(Path.Combine(MiniWorld.ModelFolder, "vae", "config.json"))
        );
        var config = Config with { ScalingFactor = json.RootElement.GetProperty("scaling_factor").GetDouble() };
        return new AutoencoderKL(config, new WeightScope(new FrozenWeights(MiniWorld.WeightsOf("vae"))));
    }

    /// <summary>Pictures and, below each row, what the autoencoder makes of them.</summary>
    private static byte[][] Pairs(AutoencoderKL model, Tensor pictures)
    {
        var decoded = model.Decode(model.Encode(pictures).Mean);
        static byte[] Bytes(Tensor image) =>
            RgbImage.FromTensor((image.to(ScalarType.Float32) / 2) + 0.5).Pixels.ToArray();
        return
        [
            .. Enumerable
                .Range(0, 4)
                .SelectMany(row =>
                    ((Tensor[])[pictures, decoded]).SelectMany(images =>
                        Enumerable.Range(8 * row, 8).Select(i => Bytes(images[i]))
                    )
                ),
        ];
    }

    /// <summary>Differences of neighbouring pixels, to the right and below, as extra channels.</summary>
    private static Tensor Differences(Tensor x)
    {
        var (height, width) = (x.shape[2], x.shape[3]);
        var right = x.narrow(3, 1, width - 1) - x.narrow(3, 0, width - 1);
        var below = x.narrow(2, 1, height - 1) - x.narrow(2, 0, height - 1);
        return cat([right.narrow(2, 0, height - 1), below.narrow(3, 0, width - 1)], 1);
    }

    private static Tensor Crops(PictureStore pictures, Dice dice)
    {
        using var scope = NewDisposeScope();
        var whole = pictures.Read(dice.Indices(Batch, pictures.Count));
        var room = SceneRenderer.Side - Crop + 1;
        return cat([
                .. Enumerable
                    .Range(0, Batch)
                    .Select(i => whole.narrow(0, i, 1).narrow(2, dice.Int(room), Crop).narrow(3, dice.Int(room), Crop)),
            ])
            .MoveToOuterDisposeScope();
    }

    private static Start StartOf(string name, long[] shape) =>
        name.EndsWith("bias", StringComparison.Ordinal) ? Start.Zero
        : shape.Length == 1 ? Start.One
        : Start.FanIn;
}
