using System.Buffers.Binary;
using System.Text;

namespace Dti.Engine.Imaging;

/// <summary>Text chunks of PNG files (PNG specification, 11.3.3), as Pillow writes and reads them.</summary>
public static class PngText
{
    private const int HeaderEnd = 8 + 25; // the signature, and the chunk IHDR

    /// <summary>
    /// Adds text behind a PNG's header: <c>tEXt</c> where the text is Latin-1, else <c>iTXt</c>, which is UTF-8.
    /// </summary>
    /// <param name="png">The file.</param>
    /// <param name="texts">Keywords of 1 to 79 Latin-1 characters, and their text without NUL.</param>
    /// <returns>The file with the text; its pixels are the same.</returns>
    /// <exception cref="ArgumentException">The file is no PNG, or a keyword is empty or too long.</exception>
    public static byte[] Insert(ReadOnlySpan<byte> png, IEnumerable<(string Keyword, string Text)> texts)
    {
        ArgumentNullException.ThrowIfNull(texts);
        if (png.Length < HeaderEnd || !png[12..16].SequenceEqual("IHDR"u8))
        {
            throw new ArgumentException("The file is no PNG.", nameof(png));
        }

        using var file = new MemoryStream(png.Length + 4096);
        file.Write(png[..HeaderEnd]);
        foreach (var (keyword, text) in texts)
        {
            WriteChunk(file, keyword, text);
        }

        file.Write(png[HeaderEnd..]);
        return file.ToArray();
    }

    private static void WriteChunk(MemoryStream file, string keyword, string text)
    {
        if (keyword.Length is < 1 or > 79)
        {
            throw new ArgumentException($"The keyword '{keyword}' must have 1 to 79 characters.", nameof(keyword));
        }

        var latin = text.All(character => character <= 0xFF);
        byte[] body =
        [
            .. latin ? "tEXt"u8 : "iTXt"u8,
            .. Encoding.Latin1.GetBytes(keyword),
            0,
            .. latin ? [] : new byte[4], // not compressed, no language, no translated keyword
            .. (latin ? Encoding.Latin1 : Encoding.UTF8).GetBytes(text),
        ];
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(number, body.Length - 4);
        file.Write(number);
        file.Write(body);
        BinaryPrimitives.WriteUInt32BigEndian(number, Checksum(body));
        file.Write(number);
    }

    // CRC-32 of the PNG specification, annex D.
    private static uint Checksum(ReadOnlySpan<byte> bytes)
    {
        var checksum = uint.MaxValue;
        foreach (var value in bytes)
        {
            checksum ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                checksum = (checksum >> 1) ^ (0xEDB8_8320 & (0u - (checksum & 1)));
            }
        }

        return ~checksum;
    }
}
