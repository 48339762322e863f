using System.Text;

namespace Dti.Engine.Tokenization;

/// <summary>
/// The printable alphabet in which byte-level BPE spells bytes (GPT-2): bytes that print stand for themselves, the
/// others follow from U+0100 on, in order.
/// </summary>
internal static class ByteAlphabet
{
    private static readonly char[] _toChar = Build();
    private static readonly Dictionary<char, byte> _toByte = _toChar
        .Select((letter, value) => (letter, (byte)value))
        .ToDictionary(pair => pair.letter, pair => pair.Item2);

    /// <summary>The letters in the order of CLIP's first 256 tokens: those that print, then the others.</summary>
    public static IEnumerable<string> Letters => _toChar.OrderBy(letter => letter).Select(letter => letter.ToString());

    /// <summary>The UTF-8 bytes of a text, spelt.</summary>
    public static string Spell(ReadOnlySpan<char> text)
    {
        var bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length)];
        var count = Encoding.UTF8.GetBytes(text, bytes);
        return string.Create(count, bytes, static (letters, bytes) =>
        {
            for (var i = 0; i < letters.Length; i++)
            {
                letters[i] = _toChar[bytes[i]];
            }
        });
    }

    /// <summary>What was spelt.</summary>
    public static string Read(string spelt) =>
        Encoding.UTF8.GetString([.. spelt.Where(_toByte.ContainsKey).Select(letter => _toByte[letter])]);

    private static char[] Build()
    {
        var letters = new char[256];
        var next = (char)256;
        for (var value = 0; value < 256; value++)
        {
            letters[value] = value is (>= '!' and <= '~') or (>= 0xA1 and <= 0xAC) or (>= 0xAE and <= 0xFF)
                ? (char)value
                : next++;
        }

        return letters;
    }
}
