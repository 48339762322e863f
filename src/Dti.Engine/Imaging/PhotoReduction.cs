namespace Dti.Engine.Imaging;

/// <summary>Photos of more pixels than training uses, made smaller before they are sent.</summary>
public static class PhotoReduction
{
    private const int Quality = 95;

    /// <summary>A photo as JPEG, upright, in sRGB, with its shorter side at most as long as asked.</summary>
    /// <param name="data">The file.</param>
    /// <param name="name">Its name, for messages.</param>
    /// <param name="shorterSide">Pixels.</param>
    /// <returns>The file; null where it has transparency, which JPEG does not keep, or would not become smaller.</returns>
    /// <exception cref="DtiException">It is not a photo, damaged or too large.</exception>
    public static byte[]? ToJpeg(ReadOnlySpan<byte> data, string name, int shorterSide)
    {
        var (image, opacity) = ImageCodec.DecodeWithOpacity(data, name);
        if (opacity is not null)
        {
            return null;
        }

        var (height, width) = PillowResize.ShorterSideTo(shorterSide, image.Height, image.Width);
        var reduced = height < image.Height ? PillowResize.Resize(image, height, width) : image;
        var file = ImageCodec.Encode(reduced, ImageFormat.Jpeg, Quality);
        return file.Length < data.Length ? file : null;
    }
}
