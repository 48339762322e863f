using System.Buffers.Binary;
using System.Text.Json;
using Dti.Engine.Runtime.Files;
using static TorchSharp.torch;

namespace Dti.Engine.Checkpoints;

/// <summary>
/// Writes safetensors files, laid out as the reference library does: widest dtype first, then by name.
/// </summary>
public static class SafetensorsWriter
{
    /// <summary>Writes a file; it appears whole or not at all.</summary>
    /// <param name="path">The file; an older one is replaced.</param>
    /// <param name="tensors">Tensors of any device and layout; F64, F32, F16, BF16, integers or bool.</param>
    /// <param name="metadata">Free texts for the header.</param>
    /// <param name="files">The disk; null: the system's.</param>
    /// <exception cref="DtiException">The disk is full or the folder cannot be written.</exception>
    public static void Write(
        string path,
        IReadOnlyDictionary<string, Tensor> tensors,
        IReadOnlyDictionary<string, string>? metadata = null,
        IFileStore? files = null
    ) => AtomicFile.Write(path, stream => Write(stream, tensors, metadata), files: files);

    /// <summary>Writes to a stream.</summary>
    public static void Write(
        Stream stream,
        IReadOnlyDictionary<string, Tensor> tensors,
        IReadOnlyDictionary<string, string>? metadata = null
    ) =>
        Write(
            stream,
            tensors.Select(pair => new OutgoingTensor(
                pair.Key,
                SafetensorsHeader.NameOf(pair.Value.dtype),
                pair.Value.shape,
                to => WriteData(to, pair.Value)
            )),
            metadata
        );

    /// <summary>Writes to a stream, one tensor after the other.</summary>
    internal static void Write(
        Stream stream,
        IEnumerable<OutgoingTensor> tensors,
        IReadOnlyDictionary<string, string>? metadata = null
    )
    {
        OutgoingTensor[] ordered =
        [
            .. tensors.OrderByDescending(tensor => tensor.Width).ThenBy(tensor => tensor.Name, StringComparer.Ordinal),
        ];
        var header = Header(ordered, metadata);
        Span<byte> length = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        stream.Write(length);
        stream.Write(header);
        Array.ForEach(ordered, tensor => tensor.WriteData(stream));
    }

    private static byte[] Header(OutgoingTensor[] tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject("__metadata__");
                foreach (var (key, value) in metadata.OrderBy(pair => pair.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, value);
                }

                json.WriteEndObject();
            }

            var begin = 0L;
            foreach (var tensor in tensors)
            {
                var end = begin + tensor.Length;
                json.WriteStartObject(tensor.Name);
                json.WriteString("dtype", tensor.Dtype);
                json.WriteStartArray("shape");
                foreach (var side in tensor.Shape)
                {
                    json.WriteNumberValue(side);
                }

                json.WriteEndArray();
                json.WriteStartArray("data_offsets");
                json.WriteNumberValue(begin);
                json.WriteNumberValue(end);
                json.WriteEndArray();
                json.WriteEndObject();
                begin = end;
            }

            json.WriteEndObject();
        }

        while (buffer.Length % 8 != 0)
        {
            buffer.WriteByte((byte)' ');
        }

        return buffer.ToArray();
    }

    private static void WriteData(Stream stream, Tensor tensor)
    {
        if (tensor.numel() == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var flat = tensor.detach().to(CPU).contiguous().view(-1);
        const long perChunk = 1 << 21;
        for (var at = 0L; at < flat.shape[0]; at += perChunk)
        {
            using var chunk = NewDisposeScope();
            stream.Write(flat.narrow(0, at, Math.Min(perChunk, flat.shape[0] - at)).bytes);
        }
    }
}
