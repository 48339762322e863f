using System.Buffers.Binary;

namespace Dti.Engine.Imaging;

/// <summary>
/// What a photo's file says beside its pixels: EXIF orientation and an embedded colour profile. Reads within the data
/// only.
/// </summary>
internal static class PhotoMetadata
{
    private const int OrientationTag = 0x0112;
    private const int MaxEntries = 512; // of an EXIF directory

    private static ReadOnlySpan<byte> PngSignature => [0x89, (byte)'P', (byte)'N', (byte)'G', 0x0D, 0x0A, 0x1A, 0x0A];

    /// <summary>
    /// The EXIF orientation of a PNG (eXIf) or a WebP (EXIF), which the codec does not tell, 1 to 8; null: another
    /// format, or none is said.
    /// </summary>
    public static int? Orientation(ReadOnlySpan<byte> data)
    {
        var exif = Chunk(data, "eXIf"u8, "EXIF"u8);
        var value = OfTiff(exif.StartsWith("Exif\0\0"u8) ? exif[6..] : exif);
        return value is >= 1 and <= 8 ? value : null;
    }

    /// <summary>Whether a colour profile is embedded in a JPEG, PNG or WebP.</summary>
    public static bool HasProfile(ReadOnlySpan<byte> data) =>
        data.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8, 0xFF])
            ? data[..Math.Min(data.Length, 1 << 20)].IndexOf("ICC_PROFILE\0"u8) >= 0
            : Chunk(data, "iCCP"u8, "ICCP"u8).Length > 0;

    /// <summary>The data of the first chunk of a name in a PNG or a WebP; empty: there is none.</summary>
    private static ReadOnlySpan<byte> Chunk(
        ReadOnlySpan<byte> data,
        ReadOnlySpan<byte> ofPng,
        ReadOnlySpan<byte> ofWebp
    )
    {
        var isPng = data.StartsWith(PngSignature);
        if (!isPng && !(data.StartsWith("RIFF"u8) && data.Length >= 12 && data[8..].StartsWith("WEBP"u8)))
        {
            return default;
        }

        var at = isPng ? 8L : 12L;
        while (at + 8 <= data.Length)
        {
            var head = data[(int)at..];
            var length = isPng
                ? BinaryPrimitives.ReadUInt32BigEndian(head)
                : BinaryPrimitives.ReadUInt32LittleEndian(head[4..]);
            if (length > data.Length - at - 8)
            {
                return default; // cut off
            }

            if (isPng ? head[4..].StartsWith(ofPng) : head.StartsWith(ofWebp))
            {
                return head.Slice(8, (int)length);
            }

            at += 8L + length + (isPng ? 4 : length & 1); // a PNG's checksum, a WebP's padding
        }

        return default;
    }

    /// <summary>The orientation in the first directory of a TIFF structure; 0: none is said.</summary>
    private static int OfTiff(ReadOnlySpan<byte> tiff)
    {
        var isLittle = tiff.StartsWith("II*\0"u8);
        if (tiff.Length < 8 || (!isLittle && !tiff.StartsWith("MM\0*"u8)))
        {
            return 0;
        }

        var start = UInt32(tiff[4..], isLittle);
        if (start > tiff.Length - 2)
        {
            return 0;
        }

        var entries = tiff[(int)start..];
        var count = Math.Min(UInt16(entries, isLittle), MaxEntries);
        for (var entry = entries[2..]; count > 0 && entry.Length >= 12; entry = entry[12..], count--)
        {
            if (UInt16(entry, isLittle) == OrientationTag)
            {
                return UInt16(entry[8..], isLittle);
            }
        }

        return 0;
    }

    private static int UInt16(ReadOnlySpan<byte> data, bool isLittle) =>
        isLittle ? BinaryPrimitives.ReadUInt16LittleEndian(data) : BinaryPrimitives.ReadUInt16BigEndian(data);

    private static uint UInt32(ReadOnlySpan<byte> data, bool isLittle) =>
        isLittle ? BinaryPrimitives.ReadUInt32LittleEndian(data) : BinaryPrimitives.ReadUInt32BigEndian(data);
}
