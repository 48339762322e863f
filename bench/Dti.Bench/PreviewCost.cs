using System.Globalization;
using Dti.Bench.Speed;
using Dti.Engine.Generation;
using Dti.Engine.Imaging;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using static TorchSharp.torch;

namespace Dti.Bench;

/// <summary>
/// What showing a picture while it is sampled adds to a step: the estimate of x₀, the map to colours, the PNG. And a
/// whole step of dti-mini with and without, in turn.
/// </summary>
internal static class PreviewCost
{
    private const int Rounds = 200;

    public static int Run()
    {
        var table = new Table("what", "µs without", "µs with a preview", "difference µs");
        var profile = (StableDiffusionProfile)
            ModelFamilies.BuiltIn.Read(Path.Combine(Folders.Bench, "..", "models", "dti-mini"));
        foreach (var side in new[] { 128, 512, 1024 })
        {
            var latents = side / profile.VaeConfig.ScaleFactor;
            using var scope = NewDisposeScope();
            using var scheduler = profile.Noise.CreateSampler("ddim", 30);
            var (sample, output) = (
                randn([1, profile.VaeConfig.LatentChannels, latents, latents]),
                randn([1, profile.VaeConfig.LatentChannels, latents, latents])
            );
            var (_, median) = Medians(
                () => { },
                () =>
                {
                    using var step = NewDisposeScope();
                    ImageCodec.Encode(profile.LatentRgb!.Draw(scheduler.Denoised(output, 3, sample)), ImageFormat.Png);
                }
            );
            table.Add(
                string.Create(CultureInfo.InvariantCulture, $"x₀, colours and PNG alone, {side} × {side} pixels"),
                "",
                "",
                Micros(median)
            );
        }

        using var model = StableDiffusionModel.Load(profile, new ComputeTarget(CPU, ScalarType.Float32));
        using var plain = Steps(model, 0).GetEnumerator();
        using var shown = Steps(model, 1).GetEnumerator();
        var (without, with) = Medians(() => plain.MoveNext(), () => shown.MoveNext());
        table.Add(
            "a sampling step of dti-mini at 128 × 128, PNG included",
            Micros(without),
            Micros(with),
            Micros(with - without)
        );
        table.Save(
            "previews",
            "What a picture shown while it is sampled costs (`Dti.Bench previews`): processor time of the process, medians of 200."
        );
        return 0;
    }

    private static IEnumerable<SamplingStep> Steps(StableDiffusionModel model, int previewEvery)
    {
        var settings = GenerationSettings.Resolve(
            new GenerationOptions
            {
                Prompt = "a photo of a mug",
                Steps = 2 * Rounds,
                PreviewEvery = previewEvery,
            },
            model.Profile,
            () => 1
        );
        foreach (var step in new TextToImage(model).Run(settings, [], CancellationToken.None).OfType<SamplingStep>())
        {
            if (step.Preview is { } preview)
            {
                ImageCodec.Encode(preview.Image, ImageFormat.Png);
            }

            yield return step;
        }
    }

    private static (double First, double Second) Medians(Action first, Action second)
    {
        var times = (First: new List<double>(), Second: new List<double>());
        for (var round = 0; round < Rounds + 10; round++)
        {
            times.First.Add(1e6 * Clock.Processor.Seconds(first));
            times.Second.Add(1e6 * Clock.Processor.Seconds(second));
        }

        return (Median(times.First), Median(times.Second));

        static double Median(List<double> all) => all.Skip(10).Order().ElementAt(Rounds / 2);
    }

    private static string Micros(double value) => value.ToString("F0", CultureInfo.InvariantCulture);
}
