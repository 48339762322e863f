namespace Dti.Cli.Files;

/// <summary>What kind of file a photo is, by its first bytes: names lie, and many have no ending.</summary>
internal static class PhotoFormat
{
    private const int Longest = 32;

    /// <summary>Whether it is a JPEG, PNG, WebP, BMP or GIF file.</summary>
    public static bool IsPhoto(string file) =>
        Read(file) is var head
        && (
            head.StartsWith((byte[])[0xFF, 0xD8, 0xFF])
            || head.StartsWith((byte[])[0x89, (byte)'P', (byte)'N', (byte)'G'])
            || (head.StartsWith("RIFF"u8) && head.Length >= 12 && head[8..].StartsWith("WEBP"u8))
            || head.StartsWith("BM"u8)
            || head.StartsWith("GIF8"u8)
        );

    /// <summary>Why a file is no photo that can be trained on.</summary>
    public static string Reason(string file)
    {
        var head = Read(file);
        if (head.Length >= 12 && head[4..].StartsWith("ftyp"u8))
        {
            var brands = System.Text.Encoding.ASCII.GetString(head[8..]);
            if (brands.Contains("avi", StringComparison.Ordinal))
                return "AVIF, which cannot be decoded; save it as JPEG or PNG";
            if (brands.Contains("hei", StringComparison.Ordinal) || brands.Contains("mif1", StringComparison.Ordinal))
                return "HEIC, which cannot be decoded; save it as JPEG or PNG (phones: camera settings, most compatible)";
        }

        return head.StartsWith("II*\0"u8) || head.StartsWith("MM\0*"u8)
                ? "TIFF or a camera's raw format; save it as JPEG or PNG"
            : head.Length == 0 ? "empty"
            : "not an image";
    }

    private static ReadOnlySpan<byte> Read(string file)
    {
        using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        var head = new byte[Longest];
        return head.AsSpan(0, stream.ReadAtLeast(head, Longest, throwOnEndOfStream: false));
    }
}
