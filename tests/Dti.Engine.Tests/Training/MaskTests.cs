using Dti.Engine.Imaging;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Tests.Models;
using Dti.Engine.Training;
using SkiaSharp;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Training;

public class MaskTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    private const int Side = 64;

    [Fact]
    public void Mask_WhiteOnTheLeft_CountsCellsByTheirShareAndFollowsTheCrop()
    {
        var set = TrainingSet.Load(
            [new Photo("a.png", Picture(x => 90), Picture(x => x < 20 ? 255 : 0))],
            Side,
            ImageLimits.Default
        );

        using var mask = set.Mask(new PhotoCrop(0, 0, 0, Flip: false), 8);
        using var mirrored = set.Mask(new PhotoCrop(0, 0, 0, Flip: true), 8);

        Assert.Equal([1, 8, 8], mask.shape);
        Assert.Equal(
            [1, 1, 0.5f, 0, 0, 0, 0, 0],
            mask[0, 3].data<float>().ToArray().Select(value => MathF.Round(value, 3))
        );
        Assert.Equal(
            [0, 0, 0, 0, 0, 0.5f, 1, 1],
            mirrored[0, 3].data<float>().ToArray().Select(value => MathF.Round(value, 3))
        );
    }

    [Fact]
    public void Load_Transparency_IsAMaskOnlyWhereAsked()
    {
        var photo = new Photo("cut-out.png", Transparent());

        Assert.False(TrainingSet.Load([photo], Side, ImageLimits.Default).HasMasks);
        var set = TrainingSet.Load([photo], Side, ImageLimits.Default, useAlpha: true);
        using var mask = set.Mask(new PhotoCrop(0, 0, 0, false), 2);
        Assert.Equal([1, 0, 1, 0], mask.data<float>().ToArray().Select(value => MathF.Round(value, 3)));
        Assert.False(
            TrainingSet
                .Load([new Photo("opaque.png", Picture(x => x))], Side, ImageLimits.Default, useAlpha: true)
                .HasMasks
        );
    }

    [Fact]
    public void Load_MasksThatCannotBeUsed_AreNamed()
    {
        var photo = Picture(x => 90);
        var error = Assert.Throws<ValidationException>(() =>
            TrainingSet.Load(
                [
                    new("a.png", photo, Picture(x => 10)),
                    new("b.png", photo, "no picture"u8.ToArray()),
                    new("c.png", photo, Pictures(Side, 2 * Side)),
                    new("d.png", photo, Picture(x => 255)),
                ],
                Side,
                ImageLimits.Default
            )
        );

        Assert.Equal(
            ["photos[0].mask", "photos[1].mask", "photos[2].mask"],
            error.Violations.Select(violation => violation.Field)
        );
        Assert.Contains("dark all over", error.Violations[0].Description, StringComparison.Ordinal);
        Assert.Contains("64 × 128", error.Violations[2].Description, StringComparison.Ordinal);
    }

    [Fact]
    public void Loss_Masked_IsTheMeanOverWhatCounts()
    {
        using var scope = NewDisposeScope();
        var model = models.Model("tiny-sd15");
        var settings = TrainingSettings.Resolve(
            new TrainingOptions
            {
                Resolution = Side,
                BatchSize = 2,
                Initializer = "cat",
            },
            "x",
            model.Profile,
            () => 1
        );
        using var sampler = new BatchSampler(model, settings, NoisePhotos.Load());
        var batch = sampler.Next();
        var rows = new[] { model.TextEncoder.TokenEmbedding[TensorIndex.Slice(5, 6)] };
        var objective = new DenoisingLoss(model);
        float Loss(Tensor? mask) => objective.Forward(batch with { Mask = mask }, rows).Loss.item<float>();
        Tensor Columns(int from, int to)
        {
            var mask = zeros([2, 1, batch.Latents.shape[2], batch.Latents.shape[3]]);
            mask[TensorIndex.Ellipsis, TensorIndex.Slice(from, to)] = 1;
            return mask;
        }

        Assert.Null(batch.Mask);
        var whole = Loss(null);
        var width = (int)batch.Latents.shape[3];
        var (left, right) = (Loss(Columns(0, width / 2)), Loss(Columns(width / 2, width)));

        Assert.Equal(whole, Loss(Columns(0, width)), 1e-5f * whole);
        Assert.Equal(whole, (left + right) / 2, 1e-5f * whole);
        Assert.NotEqual(left, right, 1e-4f * whole);
        Assert.Equal(whole, Loss(0.25f * Columns(0, width)), 1e-5f * whole); // only shares matter
        Assert.Equal(0, Loss(Columns(0, 0)));
    }

    [Fact]
    public void Run_PhotoWithAMask_LearnsNothingOfWhatItHides()
    {
        var model = models.Model("tiny-sd15");
        var white = Picture(x => 255);
        var covered = Picture(x => x < Side / 2 ? 255 : 0);

        float[] Learn(byte[] mask) => Vector(model, [new Photo("a.png", Noise(), mask)]);

        Assert.Equal(
            Vector(model, [new Photo("a.png", Noise())]).Select(value => MathF.Round(value, 4)),
            Learn(white).Select(value => MathF.Round(value, 4))
        );
        Assert.NotEqual(Learn(white), Learn(covered));
    }

    private static float[] Vector(StableDiffusionModel model, IReadOnlyList<Photo> photos)
    {
        var settings = TrainingSettings.Resolve(
            new TrainingOptions
            {
                Steps = 3,
                Resolution = Side,
                BatchSize = 1,
                PreviewEvery = 0,
                Initializer = "dog",
                Seed = 5,
            },
            "x",
            model.Profile,
            () => 1
        );
        var finished = new Trainer(model, settings, TrainingSet.Load(photos, Side, ImageLimits.Default))
            .Run(TestContext.Current.CancellationToken)
            .OfType<TrainingFinished>()
            .Single();
        return finished.Concept.Encoders[0].Embedding(0);
    }

    private static byte[] Noise()
    {
        var pixels = new byte[Side * Side * 3];
        new Random(1).NextBytes(pixels);
        return ImageCodec.Encode(new RgbImage(Side, Side, pixels), ImageFormat.Png);
    }

    private static byte[] Picture(Func<int, int> level) =>
        ImageCodec.Encode(
            new RgbImage(Side, Side, [.. Enumerable.Range(0, Side * Side * 3).Select(i => (byte)level(i / 3 % Side))]),
            ImageFormat.Png
        );

    private static byte[] Pictures(int width, int height) =>
        ImageCodec.Encode(
            new RgbImage(width, height, [.. Enumerable.Repeat((byte)255, width * height * 3)]),
            ImageFormat.Png
        );

    // Its right half is transparent.
    private static byte[] Transparent()
    {
        using var bitmap = new SKBitmap(new SKImageInfo(Side, Side, SKColorType.Rgba8888, SKAlphaType.Unpremul));
        bitmap.Erase(SKColors.Red);
        using (var canvas = new SKCanvas(bitmap))
        {
            canvas.ClipRect(new SKRect(Side / 2, 0, Side, Side));
            canvas.Clear(SKColors.Transparent);
        }

        using var file = bitmap.Encode(SKEncodedImageFormat.Png, 100);
        return file.ToArray();
    }
}
