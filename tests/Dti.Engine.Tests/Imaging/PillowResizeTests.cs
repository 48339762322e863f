using Dti.Engine.Imaging;

namespace Dti.Engine.Tests.Imaging;

public class PillowResizeTests
{
    public static IEnumerable<TheoryDataRow<string>> Cases =>
        PreprocessFixture.Cases().Select(name => new TheoryDataRow<string>(name));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Resize_ReferencePhoto_GivesPillowsPixelsExactly(string name)
    {
        var photo = ImageCodec.Decode(PreprocessFixture.Photo(name), name);

        var (height, width) = PillowResize.ShorterSideTo(PreprocessFixture.Size(name), photo.Height, photo.Width);
        var resized = PillowResize.Resize(photo, height, width);

        Assert.Equal(PreprocessFixture.Pair(name, "original_size_hw"), (photo.Height, photo.Width));
        Assert.Equal(PreprocessFixture.Pair(name, "resized_hw"), (resized.Height, resized.Width));
        Assert.Equal(PreprocessFixture.Resized(name), resized.Pixels.ToArray());
    }

    [Fact]
    public void Resize_SameSize_ChangesNothing()
    {
        var image = new RgbImage(2, 1, [1, 2, 3, 4, 5, 6]);

        Assert.Equal(image.Pixels.ToArray(), PillowResize.Resize(image, 1, 2).Pixels.ToArray());
    }

    [Fact]
    public void Resize_OneColour_KeepsIt()
    {
        var image = new RgbImage(
            13,
            7,
            [.. Enumerable.Repeat<byte[]>([250, 3, 128], 13 * 7).SelectMany(pixel => pixel)]
        );

        var resized = PillowResize.Resize(image, 31, 5);

        Assert.All(resized.Pixels.ToArray().Chunk(3), pixel => Assert.Equal<byte>([250, 3, 128], pixel));
    }

    [Fact]
    public void Resize_HardEdge_OvershootsWithinEightBits()
    {
        var image = new RgbImage(4, 1, [0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255]);

        var resized = PillowResize.Resize(image, 1, 16).Pixels.ToArray();

        Assert.Equal(0, resized[0]);
        Assert.Equal(255, resized[^1]);
    }
}
