using Dti.Engine.Imaging;

namespace Dti.Engine.Tests.Imaging;

public sealed class PngTextTests
{
    private const int HeaderEnd = 33;

    private static readonly byte[] _png = ImageCodec.Encode(
        new RgbImage(2, 1, new byte[] { 255, 0, 0, 0, 0, 255 }),
        ImageFormat.Png
    );

    /// <summary>The chunk was made with Python: zlib.crc32 over type, keyword and text.</summary>
    [Fact]
    public void Insert_LatinText_IsAChunkBehindTheHeader()
    {
        var file = PngText.Insert(_png, [("key", "é")]);

        byte[] chunk = [0, 0, 0, 5, .. "tEXtkey"u8, 0, 0xE9, 0xCA, 0x5E, 0xEA, 0x97];
        Assert.Equal([.. _png[..HeaderEnd], .. chunk, .. _png[HeaderEnd..]], file);
    }

    [Fact]
    public void Insert_OtherText_IsUtf8AndThePixelsStay()
    {
        var file = PngText.Insert(_png, [("key", "猫")]);

        Assert.Equal([.. "iTXtkey"u8, 0, 0, 0, 0, 0, .. "猫"u8], file[(HeaderEnd + 4)..(HeaderEnd + 19)]);
        Assert.Equal([255, 0, 0, 0, 0, 255], ImageCodec.Decode(file, "image").Pixels.ToArray());
    }

    [Fact]
    public void Insert_OtherFile_IsRefused()
    {
        var jpeg = ImageCodec.Encode(new RgbImage(1, 1, new byte[3]), ImageFormat.Jpeg);

        Assert.Throws<ArgumentException>(() => PngText.Insert(jpeg, []));
        Assert.Throws<ArgumentException>(() => PngText.Insert(_png, [("", "text")]));
    }
}
