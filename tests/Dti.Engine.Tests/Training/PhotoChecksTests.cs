using Dti.Engine.Imaging;
using Dti.Engine.Training;

namespace Dti.Engine.Tests.Training;

public class PhotoChecksTests
{
    private const int Side = 128;

    [Fact]
    public void Of_GoodPhotos_SaysNothing() => Assert.Empty(Codes(Scene(1), Scene(2), Scene(3)));

    [Fact]
    public void Of_SmallPhoto_NamesItAndNotItsBlur()
    {
        var small = PillowResize.Resize(Scene(1), 40, 40);

        var warning = Assert.Single(
            PhotoChecks.Of(
                [("phone.png", 40, 40, PillowResize.Resize(small, Side, Side)), ("b.png", 200, 300, Scene(2))],
                Side
            )
        );

        Assert.Equal("PHOTO_SMALL", warning.Code);
        Assert.Contains("'phone.png' is 40 × 40", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_PhotoOutOfFocus_IsNamed() => Assert.Equal(["PHOTO_BLURRED"], Codes(Scene(1), Blurred(Scene(2))));

    [Fact]
    public void Of_TheSamePhotoSavedAgain_NamesBoth()
    {
        var again = ImageCodec.Decode(ImageCodec.Encode(Scene(1), ImageFormat.Jpeg, 75), "again");

        Assert.Equal(["PHOTOS_ALIKE"], Codes(Scene(1), Scene(2), again));
    }

    [Fact]
    public void Load_SamePhotoTwice_WarnsByName()
    {
        var photo = ImageCodec.Encode(Scene(1), ImageFormat.Png);

        var set = TrainingSet.Load(
            [new Photo("one.png", photo), new Photo("two.png", photo)],
            Side,
            ImageLimits.Default
        );

        Assert.Contains("'one.png' and 'two.png'", Assert.Single(set.Warnings).Message, StringComparison.Ordinal);
    }

    private static string[] Codes(params RgbImage[] photos) =>
        [
            .. PhotoChecks
                .Of([.. photos.Select((photo, i) => ($"{i}.png", photo.Height, photo.Width, photo))], Side)
                .Select(warning => warning.Code),
        ];

    /// <summary>Discs of many sizes, with edges and areas as a photograph has.</summary>
    private static RgbImage Scene(int seed)
    {
        var random = new Random(seed);
        var pixels = new byte[Side * Side * 3];
        for (var disc = 0; disc < 60; disc++)
        {
            var (x, y, radius) = (random.Next(Side), random.Next(Side), random.Next(3, 40));
            var colour = new byte[3];
            random.NextBytes(colour);
            for (var i = 0; i < Side * Side; i++)
            {
                var (dx, dy) = ((i % Side) - x, (i / Side) - y);
                if ((dx * dx) + (dy * dy) < radius * radius)
                {
                    colour.CopyTo(pixels, 3 * i);
                }
            }
        }

        return new RgbImage(Side, Side, pixels);
    }

    private static RgbImage Blurred(RgbImage image)
    {
        for (var pass = 0; pass < 3; pass++)
        {
            image = PillowResize.Resize(PillowResize.Resize(image, Side / 4, Side / 4), Side, Side);
        }

        return image;
    }
}
