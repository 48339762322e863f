using Dti.ClientSdk.Internal.Photos;
using Dti.Engine.Imaging;
using Dti.Tests;
using Grpc.Core;

namespace Dti.ClientSdk.Tests;

public class PhotoSizesTests(ServerFixture server)
{
    private static readonly byte[] _sample = File.ReadAllBytes(
        Path.Combine(Fixtures.Repository, "samples", "melon-bird", "1.jpg")
    );

    [Theory]
    [InlineData(new long[] { 1, 2, 3 }, long.MaxValue)]
    [InlineData(new long[] { 10, 10 }, long.MaxValue)]
    [InlineData(new long[] { 1, 30, 30 }, 9)]
    [InlineData(new long[] { 30 }, 20)]
    [InlineData(new long[] { 4, 4, 4, 30 }, 8)]
    public void Of_Sizes_DividesWhatSmallPhotosLeaveAmongTheLargerOnes(long[] sizes, long share) =>
        Assert.Equal(share, PhotoShares.Of(sizes, 20));

    /// <summary>Noise, which packs badly, as the photos of a camera at its finest setting.</summary>
    [Fact]
    public void Fit_PhotosThatDoNotFitTogether_AreReducedUntilTheyDo()
    {
        var photo = new Photo("noise.png", ImageCodec.Encode(Noise(640, 480), ImageFormat.Png));
        var sizes = new PhotoSizes([photo.Data.Length, photo.Data.Length, 1000], 256, photo.Data.Length / 2);

        var reduced = sizes.Fit(photo);

        Assert.True((2 * reduced.Data.Length) + 1000 <= photo.Data.Length / 2);
        var image = ImageCodec.Decode(reduced.Data.Span, "noise.png");
        Assert.True(image is { Height: >= 256 and < 480, Width: >= 341 });
        Assert.StartsWith(
            "1 photo(s) were reduced before sending, so that all 3 fit into one request",
            sizes.Report,
            StringComparison.Ordinal
        );
        Assert.Contains("'noise.png' to a shorter side of at most", sizes.Report, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_PhotoOfACameraHeldUpright_IsTurnedAndItsMaskFits()
    {
        byte[] turned = [0xFF, 0xD8, .. Exif(6), .. ImageCodec.Encode(Noise(600, 400), ImageFormat.Jpeg, 95).AsSpan(2)];
        var photo = new Photo("turned.jpg", turned)
        {
            Mask = ImageCodec.Encode(Noise(400, 600), ImageFormat.Png),
            Caption = "a cat",
        };

        var reduced = new PhotoSizes([PhotoSizes.Bytes(photo)], 128, PhotoSizes.Bytes(photo) / 4).Fit(photo);

        var (image, mask) = (
            ImageCodec.Decode(reduced.Data.Span, "photo"),
            ImageCodec.Decode(reduced.Mask.Span, "mask")
        );
        Assert.True(image.Width < image.Height);
        Assert.Equal((image.Width, image.Height, "a cat"), (mask.Width, mask.Height, reduced.Caption));
    }

    [Fact]
    public async Task TrainAsync_PhotoThatCannotBeReduced_IsRefusedWithNameSizeLimitAndRemedy()
    {
        await using var client = new DtiClient(server.Address);
        var request = await ServerFixture.RequestAsync("heavy") with
        {
            Photos = [new Photo("film.mp4", new byte[65 << 20])],
        };

        var error = await Assert.ThrowsAsync<DtiClientException>(async () =>
            await client
                .TrainAsync(request, null, TestContext.Current.CancellationToken)
                .ToListAsync(TestContext.Current.CancellationToken)
        );

        Assert.Equal(
            (StatusCode.InvalidArgument, "photos"),
            (error.Status, Assert.Single(error.FieldViolations).Field)
        );
        Assert.All(
            new[] { "'film.mp4' has 65 MiB", "request of 63 MiB", "it is not a JPEG", "shorter side of 64 pixels" },
            part => Assert.Contains(part, error.Message, StringComparison.Ordinal)
        );
    }

    /// <summary>Cameras append films and previews of their own to a photo.</summary>
    [Theory]
    [InlineData(6, 12_500_000)]
    [InlineData(50, 64 << 20)]
    public async Task TrainAsync_LargeFiles_AreReducedAndTrainedOn(int count, int size)
    {
        var padded = new byte[size];
        _sample.CopyTo(padded, 0);
        await using var client = new DtiClient(server.Address);
        var request = await ServerFixture.RequestAsync($"large-{count}", ServerFixture.Quick(1)) with
        {
            Photos = [.. Enumerable.Range(0, count).Select(i => new Photo($"{i}.jpg", padded))],
        };

        var updates = await client
            .TrainAsync(request, null, TestContext.Current.CancellationToken)
            .ToListAsync(TestContext.Current.CancellationToken);

        Assert.Equal(count, Assert.IsType<TrainingAccepted>(updates[0]).PhotoCount);
        Assert.StartsWith(
            $"{count} photo(s) were reduced",
            Assert.IsType<TrainingWarning>(updates[1]).Message,
            StringComparison.Ordinal
        );
        Assert.IsType<TrainingResult>(updates[^1]);
    }

    private static RgbImage Noise(int width, int height)
    {
        var pixels = new byte[3 * width * height];
        new Random(1).NextBytes(pixels);
        return new RgbImage(width, height, pixels);
    }

    private static byte[] Exif(byte orientation) =>
        [
            0xFF,
            0xE1,
            0,
            34,
            .. "Exif\0\0MM\0*"u8,
            0,
            0,
            0,
            8,
            0,
            1,
            1,
            0x12,
            0,
            3,
            0,
            0,
            0,
            1,
            0,
            orientation,
            0,
            0,
            0,
            0,
            0,
            0,
        ];
}
