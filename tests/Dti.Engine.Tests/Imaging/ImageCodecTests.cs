using Dti.Engine.Imaging;
using Dti.Engine.Runtime;

namespace Dti.Engine.Tests.Imaging;

public class ImageCodecTests
{
    [Theory]
    [InlineData(ImageFormat.Png, 0)]
    [InlineData(ImageFormat.Jpeg, 12)]
    [InlineData(ImageFormat.Webp, 16)]
    public void Decode_OfEncode_GivesThePictureBack(ImageFormat format, int tolerance)
    {
        var picture = Pictures.Gradient(48, 32);

        var back = ImageCodec.Decode(ImageCodec.Encode(picture, format, 95), "picture");

        Assert.Equal((48, 32), (back.Width, back.Height));
        Assert.All(picture.Pixels.ToArray().Zip(back.Pixels.ToArray()), pair =>
            Assert.InRange(pair.Second - pair.First, -tolerance, tolerance)
        );
    }

    [Fact]
    public void Decode_Bmp_ReadsBottomRowLast() =>
        Assert.Equal<byte>(
            [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255],
            ImageCodec.Decode(Pictures.Bmp(), "a.bmp").Pixels.ToArray()
        );

    [Fact]
    public void Decode_Gif_TakesTheFirstFrame() =>
        Assert.Equal<byte>([255, 0, 0, 0, 0, 255], ImageCodec.Decode(Pictures.Gif(), "a.gif").Pixels.ToArray());

    [Fact]
    public void Decode_GreyPng_GivesEqualChannels() =>
        Assert.Equal<byte>(
            [7, 7, 7, 200, 200, 200],
            ImageCodec.Decode(Pictures.GreyPng([7, 200]), "grey.png").Pixels.ToArray()
        );

    [Fact]
    public void Decode_SixteenBitPng_KeepsTheHighBytes() =>
        Assert.Equal<byte>(
            [1, 128, 254],
            ImageCodec.Decode(Pictures.SixteenBitPng(0x0110, 0x8020, 0xFE30), "deep.png").Pixels.ToArray()
        );

    [Fact]
    public void Decode_PalettePng_LooksColoursUp() =>
        Assert.Equal<byte>(
            [9, 8, 7, 255, 0, 1],
            ImageCodec.Decode(Pictures.PalettePng([255, 0, 1, 9, 8, 7], [1, 0]), "palette.png").Pixels.ToArray()
        );

    [Theory]
    [InlineData(0, 255, 255, 255)]
    [InlineData(255, 200, 100, 0)]
    [InlineData(128, 227, 177, 127)]
    public void Decode_Transparent_LiesOverWhite(byte alpha, byte red, byte green, byte blue) =>
        Assert.Equal(
            [red, green, blue],
            ImageCodec.Decode(Pictures.TransparentPng(200, 100, 0, alpha), "alpha.png").Pixels.ToArray()
        );

    /// <summary>
    /// Where other formats than JPEG keep it: PNG in eXIf, WebP in EXIF, with and without JPEG's prefix.
    /// </summary>
    [Theory]
    [InlineData(ImageFormat.Png, false)]
    [InlineData(ImageFormat.Webp, false)]
    [InlineData(ImageFormat.Webp, true)]
    public void Decode_OrientationOfPngAndWebp_TurnsUpright(ImageFormat format, bool prefixed)
    {
        byte[] stored = ImageCodec.Encode(Pictures.Gradient(48, 32), format, 100);
        for (byte orientation = 1; orientation <= 8; orientation++)
        {
            foreach (var isLittle in new[] { true, false })
            {
                var upright = ImageCodec.Decode(
                    Pictures.WithExif(stored, format, 48, 32, orientation, isLittle, prefixed),
                    "turned"
                );
                var expected = ImageCodec.Decode(
                    Pictures.WithOrientation(Pictures.Jpeg(48, 32), orientation),
                    "turned.jpg"
                );

                Assert.Equal((expected.Width, expected.Height), (upright.Width, upright.Height));
                Assert.All(expected.Pixels.ToArray().Zip(upright.Pixels.ToArray()), pair =>
                    Assert.InRange(pair.Second - pair.First, -24, 24)
                );
            }
        }
    }

    /// <summary>EXIF that is cut off, or points elsewhere, says nothing; no byte beyond it is read.</summary>
    [Fact]
    public void Decode_BrokenExif_IsAsIfThereWereNone()
    {
        var whole = Pictures.WithExif(
            Pictures.Png(48, 32),
            ImageFormat.Png,
            48,
            32,
            6,
            isLittle: false,
            prefixed: false
        );
        var at = whole.AsSpan().IndexOf("eXIf"u8) + 4;
        foreach (var offset in new uint[] { 0, 7, 20, 26, uint.MaxValue })
        {
            var broken = whole.ToArray();
            System.Buffers.Binary.BinaryPrimitives.WriteUInt32BigEndian(broken.AsSpan(at + 4), offset);
            Assert.Null(PhotoMetadata.Orientation(broken));
        }

        for (var length = 0; length < at + 26; length++)
        {
            Assert.Null(PhotoMetadata.Orientation(whole.AsSpan(0, length)));
        }

        Assert.Equal(6, PhotoMetadata.Orientation(whole));
    }

    /// <summary>Colours that a phone stores in Display P3, against the matrices of CSS Color 4.</summary>
    [Theory]
    [InlineData("png")]
    [InlineData("jpeg")]
    [InlineData("webp")]
    public void Decode_DisplayP3_BecomesSrgb(string format)
    {
        var photo = ImageCodec.Decode(Pictures.DisplayP3(format, 200, 100, 50), "p3");

        byte[] expected = [215, 93, 31];
        Assert.All(photo.Pixels.ToArray().Chunk(3), pixel =>
            Assert.All(expected.Zip(pixel), pair => Assert.InRange(pair.Second - pair.First, -3, 3))
        );
    }

    [Theory]
    [InlineData("ftypheic", "HEIC")]
    [InlineData("ftypmif1", "HEIC")]
    [InlineData("ftypavif", "AVIF")]
    public void Decode_FormatsOfPhones_AreRefusedWithTheWayOut(string brand, string name)
    {
        byte[] data = [0, 0, 0, 24, .. System.Text.Encoding.ASCII.GetBytes(brand), .. new byte[100]];
        var error = Assert.Throws<DtiException>(() => ImageCodec.Decode(data, "IMG_1"));
        Assert.Contains(
            $"'IMG_1' is {name}, which cannot be decoded; save it as JPEG or PNG",
            error.Message,
            StringComparison.Ordinal
        );
    }

    // EXIF names the visual sides of the stored first row and first column: 6 is (right, top), 8 is (left, bottom).
    [Theory]
    [InlineData(1, 48, 32, false, false, false)]
    [InlineData(2, 48, 32, false, true, false)]
    [InlineData(3, 48, 32, false, true, true)]
    [InlineData(4, 48, 32, false, false, true)]
    [InlineData(5, 32, 48, true, false, false)]
    [InlineData(6, 32, 48, true, true, false)]
    [InlineData(7, 32, 48, true, true, true)]
    [InlineData(8, 32, 48, true, false, true)]
    public void Decode_ExifOrientation_TurnsUpright(
        byte orientation,
        int width,
        int height,
        bool transposed,
        bool fromRight,
        bool fromBottom
    )
    {
        var stored = Pictures.Jpeg(48, 32);
        var flat = ImageCodec.Decode(stored, "stored.jpg");

        var upright = ImageCodec.Decode(Pictures.WithOrientation(stored, orientation), "turned.jpg");

        Assert.Equal((width, height), (upright.Width, upright.Height));
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (column, row) = (fromRight ? width - 1 - x : x, fromBottom ? height - 1 - y : y);
                var expected = transposed ? flat.Crop(column, row, 1, 1) : flat.Crop(row, column, 1, 1);
                Assert.Equal(expected.Pixels.ToArray(), upright.Crop(y, x, 1, 1).Pixels.ToArray());
            }
        }
    }

    [Fact]
    public void Encode_PngTwice_GivesTheSameBytes() => Assert.Equal(Pictures.Png(20, 30), Pictures.Png(20, 30));

    [Theory]
    [InlineData(0)]
    [InlineData(101)]
    public void Encode_QualityOutOfRange_Throws(int quality) =>
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            ImageCodec.Encode(Pictures.Gradient(2, 2), ImageFormat.Jpeg, quality)
        );

    [Fact]
    public void Decode_TextFileNamedPng_IsRefusedByName() =>
        AssertRefused("notes.png", "is not an image", "Dear diary, today I took no photos."u8);

    [Fact]
    public void Decode_ShortTextFile_IsNotCalledCutOff() => AssertRefused("note.png", "is not an image", "hello"u8);

    [Fact]
    public void Decode_EmptyFile_IsRefused() => AssertRefused("empty.jpg", "is empty", []);

    [Theory]
    [InlineData(0.3)]
    [InlineData(0.6)]
    [InlineData(0.95)]
    public void Decode_TruncatedJpeg_IsRefused(double part)
    {
        var file = Pictures.Jpeg(200, 150);
        AssertRefused("half.jpg", "cut off", file.AsSpan(0, (int)(file.Length * part)));
    }

    [Theory]
    [InlineData(0.5)]
    [InlineData(0.9)]
    public void Decode_TruncatedPng_IsRefused(double part)
    {
        var file = Pictures.Png(200, 150);
        AssertRefused("half.png", "cut off", file.AsSpan(0, (int)(file.Length * part)));
    }

    public static IEnumerable<TheoryDataRow<byte[]>> OneOfEachFormat =>
        [
            Pictures.Jpeg(24, 16),
            Pictures.Png(24, 16),
            Pictures.Bmp(),
            Pictures.Gif(),
            ImageCodec.Encode(Pictures.Gradient(24, 16), ImageFormat.Webp),
        ];

    [Theory]
    [MemberData(nameof(OneOfEachFormat), DisableDiscoveryEnumeration = true)]
    public void Decode_EveryPrefixOfAFile_IsRefusedOrDecoded(byte[] file)
    {
        for (var length = 0; length < file.Length; length++)
        {
            DecodeOrRefuse(file[..length]);
        }
    }

    [Theory]
    [MemberData(nameof(OneOfEachFormat), DisableDiscoveryEnumeration = true)]
    public void Decode_MutatedFile_IsRefusedOrDecoded(byte[] file)
    {
        var random = new Pcg32(5);
        for (var i = 0; i < 500; i++)
        {
            var mutated = (byte[])file.Clone();
            for (var changes = 1 + random.NextInt(4); changes > 0; changes--)
            {
                mutated[random.NextInt(file.Length)] = (byte)random.NextUInt32();
            }

            DecodeOrRefuse(mutated);
        }
    }

    [Fact]
    public void Decode_HugePngHeader_IsRefusedWithoutAllocating()
    {
        var file = Pictures.PngHeader(50_000, 50_000);
        var before = GC.GetAllocatedBytesForCurrentThread();

        AssertRefused("bomb.png", "50,000 × 50,000", file);

        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1024 * 1024);
    }

    [Fact]
    public void Decode_MorePixelsThanAllowed_IsRefused()
    {
        var limits = new ImageLimits { MaxPixels = 48 * 32 - 1 };
        AssertRefused("large.jpg", "48 × 32", Pictures.Jpeg(48, 32), limits);
    }

    [Fact]
    public void Decode_MoreBytesThanAllowed_IsRefused() =>
        AssertRefused("heavy.bmp", "70 bytes", Pictures.Bmp(), new ImageLimits { MaxBytes = 69 });

    private static void DecodeOrRefuse(byte[] file)
    {
        try
        {
            ImageCodec.Decode(file, "changed", new ImageLimits { MaxPixels = 1_000_000 });
        }
        catch (DtiException refusal)
        {
            Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        }
    }

    private static void AssertRefused(string name, string reason, ReadOnlySpan<byte> file, ImageLimits? limits = null)
    {
        var data = file.ToArray();
        var refusal = Assert.Throws<DtiException>(() => ImageCodec.Decode(data, name, limits));
        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Contains($"'{name}'", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refusal.Message, StringComparison.Ordinal);
    }
}
