using System.Buffers.Binary;
using Dti.Engine.Runtime;

namespace Dti.Bench.Images;

/// <summary>
/// An endless, repeatable stream of damaged image files: valid ones with bytes changed, inserted, removed, repeated or
/// cut off. Half of the PNGs get right checksums again, so that decoders read beyond them.
/// </summary>
internal sealed class ImageMutator(IReadOnlyList<byte[]> files, ulong seed)
{
    private static readonly uint[] _numbers =
    [
        0,
        1,
        0x7F,
        0xFF,
        0x100,
        0x7FFF,
        0xFFFF,
        0x10000,
        int.MaxValue,
        uint.MaxValue,
    ];

    /// <summary>The file of a number, whichever were asked for before.</summary>
    public byte[] File(int number)
    {
        var random = new Pcg32(seed, (ulong)number);
        List<byte> file = [.. files[random.NextInt(files.Count)]];
        for (var changes = 1 + random.NextInt(6); changes > 0 && file.Count > 16; changes--)
        {
            Change(file, random);
        }

        var bytes = file.ToArray();
        if (random.NextInt(2) == 0)
        {
            RepairChecksums(bytes);
        }

        return bytes;
    }

    private static void Change(List<byte> file, Pcg32 random)
    {
        // Headers decide most: half of the changes are made in the first hundred bytes.
        var at = random.NextInt(random.NextInt(2) == 0 ? Math.Min(100, file.Count) : file.Count);
        var run = Math.Min(1 + random.NextInt(16), file.Count - at);
        switch (random.NextInt(8))
        {
            case 0:
                file[at] ^= (byte)(1 << random.NextInt(8));
                break;
            case 1:
                file[at] = (byte)random.NextUInt32();
                break;
            case 2 or 3:
                Number(file, at, random);
                break;
            case 4:
                file.RemoveRange(at, run);
                break;
            case 5:
                file.InsertRange(random.NextInt(file.Count + 1), file.GetRange(at, run));
                break;
            case 6:
                file.InsertRange(at, Enumerable.Range(0, run).Select(_ => (byte)random.NextUInt32()));
                break;
            default:
                if (random.NextInt(4) == 0)
                {
                    file.RemoveRange(at, file.Count - at);
                }

                break;
        }
    }

    /// <summary>Replaces two or four bytes by a number at a bound, in either byte order.</summary>
    private static void Number(List<byte> file, int at, Pcg32 random)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(number, _numbers[random.NextInt(_numbers.Length)]);
        if (random.NextInt(2) == 0)
        {
            number.Reverse();
        }

        var length = Math.Min(random.NextInt(2) == 0 ? 2 : 4, file.Count - at);
        var end = random.NextInt(2) == 0 ? 0 : 4 - length;
        for (var i = 0; i < length; i++)
        {
            file[at + i] = number[end + i];
        }
    }

    private static void RepairChecksums(byte[] file)
    {
        if (file.Length < 8 || file[1] != 'P' || file[2] != 'N' || file[3] != 'G')
        {
            return;
        }

        for (long at = 8; at + 12 <= file.Length; )
        {
            var length = BinaryPrimitives.ReadUInt32BigEndian(file.AsSpan((int)at));
            if (at + 12 + length > file.Length)
            {
                return;
            }

            var checksum = Crc32(file.AsSpan((int)at + 4, (int)length + 4));
            BinaryPrimitives.WriteUInt32BigEndian(file.AsSpan((int)(at + 8 + length)), checksum);
            at += 12 + length;
        }
    }

    private static uint Crc32(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        foreach (var value in data)
        {
            crc ^= value;
            for (var bit = 0; bit < 8; bit++)
            {
                crc = (crc >> 1) ^ ((crc & 1) * 0xEDB88320);
            }
        }

        return ~crc;
    }
}
