using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Dti.Engine.Checkpoints;

/// <summary>A tensor in a safetensors file.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Dtype">Its type as read: as stored, but for float8, which is read as half.</param>
/// <param name="Shape">Its shape; empty for a scalar.</param>
/// <param name="Begin">Offset of its first byte from the end of the header.</param>
/// <param name="Length">Its bytes in the file.</param>
/// <param name="Packed">How it is stored, if that is a float8; null: as <paramref name="Dtype"/>.</param>
public sealed record SafetensorsEntry(
    string Name,
    ScalarType Dtype,
    IReadOnlyList<long> Shape,
    long Begin,
    long Length,
    Float8? Packed = null
)
{
    /// <summary>The type that it is stored in, as the file names it: <c>F16</c>.</summary>
    public string FileDtype => SafetensorsHeader.NameOf(Dtype, Packed);

    /// <summary>The shape, for messages: <c>(320, 4, 3, 3)</c>.</summary>
    public string ShapeText => $"({string.Join(", ", Shape)})";

    /// <summary>
    /// The same as Dti names it: <c>fp32</c>, <c>fp16</c>, <c>bf16</c>, <c>fp8_e4m3</c>, <c>i64</c>, …
    /// </summary>
    public string StoredDtype =>
        FileDtype is ['F', .. var rest] ? $"fp{rest.ToLowerInvariant()}" : FileDtype.ToLowerInvariant();
}

/// <summary>
/// Reads and checks the header of a safetensors file: nothing that a file says is believed before it is compared with
/// the file's size.
/// </summary>
internal static class SafetensorsHeader
{
    /// <summary>The format's own bound on the header.</summary>
    public const long MaxBytes = 100_000_000;

    /// <summary>The key of the metadata of a header without data: the bytes that its data has elsewhere.</summary>
    public const string DataBytesKey = "dti.data_bytes";

    private const int MaxTensors = 100_000;
    private const int MaxRank = 16;
    private const int MaxNameLength = 1024;

    private static readonly (string Name, ScalarType Type, int Width, Float8? Packed)[] _dtypes =
    [
        ("F64", ScalarType.Float64, 8, null),
        ("F32", ScalarType.Float32, 4, null),
        ("F16", ScalarType.Float16, 2, null),
        ("BF16", ScalarType.BFloat16, 2, null),
        ("I64", ScalarType.Int64, 8, null),
        ("I32", ScalarType.Int32, 4, null),
        ("I16", ScalarType.Int16, 2, null),
        ("I8", ScalarType.Int8, 1, null),
        ("U8", ScalarType.Byte, 1, null),
        ("BOOL", ScalarType.Bool, 1, null),
        ("F8_E4M3", ScalarType.Float16, 1, Float8.E4M3),
        ("F8_E5M2", ScalarType.Float16, 1, Float8.E5M2),
    ];

    /// <summary>Parses a header.</summary>
    /// <param name="stream">At the start of the file.</param>
    /// <param name="size">The file's size.</param>
    /// <param name="file">For messages.</param>
    /// <returns>Metadata, tensors by name, and where the data begins.</returns>
    /// <exception cref="DtiException">The file is not a valid safetensors file.</exception>
    public static (
        Dictionary<string, string> Metadata,
        Dictionary<string, SafetensorsEntry> Tensors,
        long DataStart
    ) Read(Stream stream, long size, string file)
    {
        Span<byte> start = stackalloc byte[8];
        var read = stream.ReadAtLeast(start, 8, throwOnEndOfStream: false);
        var length = read == 8 ? BinaryPrimitives.ReadUInt64LittleEndian(start) : ulong.MaxValue;
        if (length < 2 || length > MaxBytes || (long)length > size - 8)
        {
            RefuseOtherFormats(start[..read], file);
            throw Bad(file, $"it is {size} bytes long, which does not go with the header length it states");
        }

        var json = new byte[length];
        stream.ReadExactly(json);
        if (json[0] != '{')
        {
            // Only now: the length of a header may look like the first bytes of another format.
            RefuseOtherFormats(start, file);
        }

        try
        {
            var (metadata, tensors) = Parse(json, file);
            EnsureDataIsCovered(tensors.Values, DataBytes(metadata, size - 8 - (long)length), file);
            return (metadata, tensors, 8 + (long)length);
        }
        catch (Exception error)
            when (error is JsonException or InvalidOperationException or FormatException or DecoderFallbackException)
        {
            throw Bad(file, "its header is not valid JSON", error);
        }
    }

    /// <summary>A copy of a file without its data, which states how much data there was.</summary>
    /// <exception cref="DtiException">The file is not a valid safetensors file.</exception>
    public static byte[] WithoutData(string path)
    {
        using var stream = File.OpenRead(path);
        var (_, _, dataStart) = Read(stream, stream.Length, path);
        var json = new byte[dataStart - 8];
        stream.Position = 8;
        stream.ReadExactly(json);
        var header = JsonNode.Parse(json)!.AsObject();
        var metadata = header["__metadata__"] as JsonObject ?? [];
        metadata[DataBytesKey] = (stream.Length - dataStart).ToString(CultureInfo.InvariantCulture);
        header["__metadata__"] = metadata;
        var changed = JsonSerializer.SerializeToUtf8Bytes(header);
        var copy = new byte[8 + changed.Length];
        BinaryPrimitives.WriteUInt64LittleEndian(copy, (ulong)changed.Length);
        changed.CopyTo(copy, 8);
        return copy;
    }

    /// <summary>The stored name of a dtype.</summary>
    public static string NameOf(ScalarType dtype, Float8? packed = null) =>
        Array.Find(_dtypes, known => (known.Type, known.Packed) == (dtype, packed)).Name
        ?? throw new ArgumentOutOfRangeException(nameof(dtype), dtype, "has no name in safetensors");

    /// <summary>Bytes of an element of a stored dtype.</summary>
    public static int WidthOf(string dtype) => Array.Find(_dtypes, known => known.Name == dtype).Width;

    private static (Dictionary<string, string> Metadata, Dictionary<string, SafetensorsEntry> Tensors) Parse(
        byte[] json,
        string file
    )
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 4 });
        var metadata = new Dictionary<string, string>(StringComparer.Ordinal);
        var tensors = new Dictionary<string, SafetensorsEntry>(StringComparer.Ordinal);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        Expect(ref reader, JsonTokenType.StartObject, file);
        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var name = reader.GetString()!;
            if (!seen.Add(name))
            {
                throw Bad(file, $"its header names '{Short(name)}' twice");
            }

            reader.Read();
            if (name == "__metadata__" && reader.TokenType == JsonTokenType.Null)
            {
                continue; // the reference reader takes it as no metadata
            }

            if (name == "__metadata__")
            {
                ReadMetadata(ref reader, metadata, file);
            }
            else if (name.Length is 0 or > MaxNameLength || tensors.Count == MaxTensors)
            {
                throw Bad(
                    file,
                    $"a tensor's name has {name.Length} characters, or there are more than {MaxTensors} tensors"
                );
            }
            else
            {
                tensors.Add(name, ReadEntry(ref reader, name, file));
            }
        }

        while (reader.Read())
        {
            throw Bad(file, "its header goes on after its end");
        }

        return (metadata, tensors);
    }

    private static void ReadMetadata(ref Utf8JsonReader reader, Dictionary<string, string> metadata, string file)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Bad(file, "its __metadata__ is not an object");
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            var key = reader.GetString()!;
            Expect(ref reader, JsonTokenType.String, file);
            if (!metadata.TryAdd(key, reader.GetString()!))
            {
                throw Bad(file, $"its __metadata__ names '{Short(key)}' twice");
            }
        }
    }

    private static SafetensorsEntry ReadEntry(ref Utf8JsonReader reader, string name, string file)
    {
        string? dtype = null;
        List<long>? shape = null,
            offsets = null;
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw Bad(file, $"tensor '{Short(name)}' is not described by an object");
        }

        while (reader.Read() && reader.TokenType != JsonTokenType.EndObject)
        {
            switch (reader.GetString())
            {
                case "dtype" when dtype is null:
                    Expect(ref reader, JsonTokenType.String, file);
                    dtype = reader.GetString();
                    break;
                case "shape" when shape is null:
                    shape = ReadNumbers(ref reader, MaxRank, name, file);
                    break;
                case "data_offsets" when offsets is null:
                    offsets = ReadNumbers(ref reader, 2, name, file);
                    break;
                default:
                    throw Bad(file, $"tensor '{Short(name)}' has an unknown or repeated field");
            }
        }

        if (dtype is null || shape is null || offsets is not [var begin, var end] || begin > end)
        {
            throw Bad(file, $"tensor '{Short(name)}' lacks dtype, shape or data_offsets");
        }

        var (known, type, width, packed) = Array.Find(_dtypes, entry => entry.Name == dtype);
        if (known is null)
        {
            throw Bad(file, $"tensor '{Short(name)}' has dtype '{Short(dtype)}', which is not supported");
        }

        if (Bytes(shape, width) != end - begin)
        {
            throw Bad(
                file,
                $"tensor '{Short(name)}' is {dtype} ({string.Join(", ", shape)}), which is not the {end - begin} bytes it points at"
            );
        }

        return new SafetensorsEntry(name, type, shape, begin, end - begin, packed);
    }

    private static List<long> ReadNumbers(ref Utf8JsonReader reader, int most, string name, string file)
    {
        Expect(ref reader, JsonTokenType.StartArray, file);
        var numbers = new List<long>();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (
                reader.TokenType != JsonTokenType.Number
                || !reader.TryGetInt64(out var number)
                || number < 0
                || numbers.Count == most
            )
            {
                throw Bad(
                    file,
                    $"tensor '{Short(name)}' has a shape or data_offsets that are not at most {most} whole numbers"
                );
            }

            numbers.Add(number);
        }

        return numbers;
    }

    /// <summary>Bytes of a tensor; -1 where they do not fit a long.</summary>
    private static long Bytes(List<long> shape, int width)
    {
        if (shape.Contains(0))
        {
            return 0;
        }

        UInt128 total = (UInt128)width;
        foreach (var side in shape)
        {
            total *= (UInt128)side;
            if (total > long.MaxValue)
            {
                return -1;
            }
        }

        return (long)total;
    }

    /// <summary>Bytes of data: those that follow, or of a header by itself those that it states.</summary>
    private static long DataBytes(Dictionary<string, string> metadata, long following) =>
        following == 0
        && metadata.TryGetValue(DataBytesKey, out var stated)
        && long.TryParse(stated, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes)
            ? bytes
            : following;

    /// <summary>The format allows neither gaps nor overlaps.</summary>
    private static void EnsureDataIsCovered(IEnumerable<SafetensorsEntry> tensors, long dataBytes, string file)
    {
        var at = 0L;
        foreach (var tensor in tensors.OrderBy(tensor => tensor.Begin).ThenBy(tensor => tensor.Length))
        {
            if (tensor.Begin != at)
            {
                throw Bad(
                    file,
                    $"tensor '{Short(tensor.Name)}' begins at {tensor.Begin} where {at} was expected: data overlaps or has gaps"
                );
            }

            at += tensor.Length;
            if (at > dataBytes)
            {
                throw Bad(
                    file,
                    $"tensor '{Short(tensor.Name)}' ends beyond the end of the file: it is cut off, perhaps an unfinished download"
                );
            }
        }

        if (at != dataBytes)
        {
            throw Bad(file, $"its tensors take {at} bytes and it holds {dataBytes}");
        }
    }

    private static void RefuseOtherFormats(ReadOnlySpan<byte> start, string file)
    {
        if (start.StartsWith("PK"u8) || (start.Length > 1 && start[0] == 0x80 && start[1] < 6))
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{file} is a pickle (.pt, .bin, .ckpt): loading one can run any program hidden in it, so it is refused. Convert it to safetensors first."
            );
        }

        if (start.StartsWith("version"u8))
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{file} is a Git LFS pointer, not the file itself: run 'git lfs pull' where it came from."
            );
        }
    }

    private static void Expect(ref Utf8JsonReader reader, JsonTokenType token, string file)
    {
        if (!reader.Read() || reader.TokenType != token)
        {
            throw Bad(file, "its header is not laid out as the format says");
        }
    }

    private static string Short(string text) => text.Length <= 80 ? text : text[..80] + "…";

    private static DtiException Bad(string file, string why, Exception? inner = null) =>
        new(ErrorKind.FailedPrecondition, $"{file} is not a valid safetensors file: {why}.", innerException: inner);
}
