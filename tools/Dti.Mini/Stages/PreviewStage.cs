using System.Globalization;
using System.Text.Json.Nodes;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Runtime.Files;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Stages;

/// <summary>
/// How latents look: the map to colours that previews use, fitted by least squares to the mean colours of the
/// pixels that the latents stand for, and written into the model's <c>dti.json</c>.
/// </summary>
internal static class PreviewStage
{
    private const int Count = 1_000; // 256,000 latents for 27 numbers
    private const int HeldOut = 200;
    private const int Batch = 50;

    public static void Run(string folder)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var model = StableDiffusionModel.Load(
            ModelFamilies.BuiltIn.Read(MiniWorld.ModelFolder),
            new ComputeTarget(CPU, ScalarType.Float32)
        );
        var vae = model.Vae;
        var (latents, colours) = Pairs(folder, MiniWorld.TrainSeed, Count, vae);
        var map = linalg.lstsq(latents, colours).Solution; // (C + 1, 3), the bias last
        var (tested, truth) = Pairs(folder, MiniWorld.HeldOutSeed, HeldOut, vae);
        // (3)
        var unexplained = (truth - tested.mm(map)).square().mean([0]) / (truth - truth.mean([0])).square().mean([0]);
        Console.WriteLine(
            string.Create(
                CultureInfo.InvariantCulture,
                $"R² on {HeldOut} held-out pictures: red {1 - unexplained[0].item<double>():F3}, green {1 - unexplained[1].item<double>():F3}, blue {1 - unexplained[2].item<double>():F3}"
            )
        );

        var path = Path.Combine(MiniWorld.ModelFolder, ModelNotes.FileName);
        var notes = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        notes["latent_rgb_factors"] = new JsonArray([
            .. Enumerable.Range(0, vae.Config.LatentChannels).Select(channel => Row(map[channel])),
        ]);
        notes["latent_rgb_factors_bias"] = Row(map[vae.Config.LatentChannels]);
        AtomicFile.WriteAllText(path, notes.ToJsonString(DiffusersConfigs.Indented) + "\n");
    }

    /// <summary>
    /// Latents as the denoiser sees them, with a one for the bias, (N, C + 1), and the mean colours of their pixels,
    /// (N, 3) in [−1, 1]; fp64.
    /// </summary>
    private static (Tensor Latents, Tensor Colours) Pairs(string folder, ulong seed, int count, AutoencoderKL vae)
    {
        using var pictures = PictureStore.Open(folder, seed, count);
        var (latents, colours) = (new List<Tensor>(), new List<Tensor>());
        for (var first = 0; first < count; first += Batch)
        {
            using var scope = NewDisposeScope();
            var batch = pictures.Read([.. Enumerable.Range(first, Batch)]).to(ScalarType.Float32);
            latents.Add(Rows(vae.Encode(batch).Mean * vae.Config.ScalingFactor));
            colours.Add(Rows(nn.functional.avg_pool2d(batch, vae.Config.ScaleFactor)));
            Console.Write($"\rencoded {first + Batch:N0} of {count:N0}");
        }

        Console.WriteLine();
        var all = cat([.. latents]);
        return (cat([all, ones(all.shape[0], 1, ScalarType.Float64)], 1), cat([.. colours]));

        static Tensor Rows(Tensor maps) =>
            maps.to(ScalarType.Float64).permute(0, 2, 3, 1).flatten(0, 2).contiguous().MoveToOuterDisposeScope();
    }

    private static JsonArray Row(Tensor values) =>
        new([.. values.data<double>().Select(value => (JsonNode)Math.Round(value, 4))]);
}
