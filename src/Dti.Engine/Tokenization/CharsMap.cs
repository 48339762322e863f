using System.Buffers.Binary;
using System.Text;

namespace Dti.Engine.Tokenization;

/// <summary>
/// The normalisation that a SentencePiece model carries (<c>precompiled_charsmap</c>; sentencepiece, normalizer.cc): a
/// trie of UTF-8 strings and what each becomes. At every place the longest of them is replaced; whatever is not in it
/// stays.
/// </summary>
internal sealed class CharsMap
{
    // a double array (Aoe 1989) as darts-clone packs it: label, offset, "has a leaf" in 32 bits
    private readonly uint[] _units;
    private readonly byte[] _texts; // each ends with a 0

    /// <param name="blob">Length of the trie, trie, texts; empty: nothing is replaced.</param>
    /// <exception cref="FormatException">It is not of that form.</exception>
    public CharsMap(ReadOnlySpan<byte> blob)
    {
        if (blob.IsEmpty)
        {
            (_units, _texts) = ([], []);
            return;
        }

        var bytes = blob.Length < 4 ? uint.MaxValue : BinaryPrimitives.ReadUInt32LittleEndian(blob);
        if (bytes > blob.Length - 4 || bytes % 4 != 0 || bytes == 0)
        {
            throw new FormatException("its precompiled_charsmap is cut off");
        }

        _units = new uint[bytes / 4];
        for (var i = 0; i < _units.Length; i++)
        {
            _units[i] = BinaryPrimitives.ReadUInt32LittleEndian(blob[(4 + (4 * i))..]);
        }

        _texts = blob[(4 + (int)bytes)..].ToArray();
    }

    /// <summary>Normalises a text.</summary>
    public string Apply(string text)
    {
        var source = Encoding.UTF8.GetBytes(text).AsSpan();
        var result = new List<byte>(source.Length);
        while (source.Length > 0)
        {
            if (Longest(source) is var (length, at) && length > 0)
            {
                var replacement = _texts.AsSpan(at);
                result.AddRange(replacement[..replacement.IndexOf((byte)0)]);
            }
            else
            {
                Rune.DecodeFromUtf8(source, out _, out length);
                result.AddRange(source[..length]);
            }

            source = source[length..];
        }

        return Encoding.UTF8.GetString([.. result]);
    }

    /// <summary>
    /// The longest prefix in the trie, its length in bytes and where its replacement starts; length 0: there is none.
    /// </summary>
    private (int Length, int Text) Longest(ReadOnlySpan<byte> source)
    {
        var longest = (0, 0);
        if (_units.Length == 0)
        {
            return longest;
        }

        var node = Offset(_units[0]);
        for (var i = 0; i < source.Length; i++)
        {
            node ^= source[i];
            if (node >= _units.Length || Label(_units[node]) != source[i])
            {
                break;
            }

            var unit = _units[node];
            node ^= Offset(unit);
            if (
                HasLeaf(unit)
                && node < _units.Length
                && Value(_units[node]) is var text
                && text < _texts.Length
                && _texts.AsSpan((int)text).Contains((byte)0)
            )
            {
                longest = (i + 1, (int)text);
            }
        }

        return longest;
    }

    private static uint Offset(uint unit) => (unit >> 10) << (int)((unit & (1 << 9)) >> 6);

    // The highest bit marks a leaf, whose value is not a label.
    private static uint Label(uint unit) => unit & (0x8000_0000 | 0xFF);

    private static bool HasLeaf(uint unit) => (unit & (1 << 8)) != 0;

    private static uint Value(uint unit) => unit & 0x7FFF_FFFF;
}
