using System.Runtime.InteropServices;
using Dti.Engine.Runtime.Files;
using Microsoft.Win32.SafeHandles;
using static TorchSharp.torch;

namespace Dti.Engine.Checkpoints;

/// <summary>
/// A safetensors file, open for reading. Opening reads and checks the header only; tensors are read straight into their
/// memory. Thread-safe.
/// </summary>
public sealed class SafetensorsFile : IDisposable
{
    private const int ChunkBytes = 1024 * 1024; // stays in a core's cache between reading and conversion

    private readonly StagingBuffers _staging = new();
    private readonly SafeFileHandle _file;
    private readonly long _dataStart;

    private SafetensorsFile(string path, SafeFileHandle file)
    {
        Path = path;
        _file = file;
        var size = RandomAccess.GetLength(file);
        using var stream = RegularFile.OpenRead(path);
        (var metadata, var tensors, _dataStart) = SafetensorsHeader.Read(stream, size, path);
        HasData = size > _dataStart || !metadata.ContainsKey(SafetensorsHeader.DataBytesKey);
        Metadata = metadata;
        Tensors = tensors;
    }

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>Whether it has data; without, it is the header of a file on another host.</summary>
    internal bool HasData { get; }

    /// <summary>The header's free texts.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; }

    /// <summary>The tensors by name.</summary>
    public IReadOnlyDictionary<string, SafetensorsEntry> Tensors { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="DtiException">It cannot be read, or is not a valid safetensors file.</exception>
    public static SafetensorsFile Open(string path)
    {
        SafeFileHandle? file = null;
        try
        {
            RegularFile.EnsureIs(path);
            file = File.OpenHandle(path);
            return new SafetensorsFile(path, file);
        }
        catch (Exception error)
        {
            file?.Dispose();
            throw error is IOException or UnauthorizedAccessException
                ? new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"{path} cannot be read: {error.Message}",
                    innerException: error
                )
                : error;
        }
    }

    /// <summary>Reads a tensor into new memory, as stored.</summary>
    /// <exception cref="DtiException">There is none of that name, or the file cannot be read.</exception>
    public Tensor Read(string name) => Read(Entry(name));

    /// <summary>Reads a tensor of this file, or a part of one, into new memory.</summary>
    internal Tensor Read(SafetensorsEntry entry)
    {
        EnsureHasData(); // before memory is allocated for what the header states
        var tensor = empty([.. entry.Shape], entry.Dtype);
        try
        {
            ReadInto(entry, tensor);
            return tensor;
        }
        catch
        {
            tensor.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Reads a tensor into existing memory: directly if that is contiguous, on the CPU and of the stored dtype; else
    /// converted in pieces of at most 1 MiB of the file.
    /// </summary>
    /// <param name="name">The tensor.</param>
    /// <param name="destination">As many elements as the tensor, contiguous.</param>
    /// <exception cref="DtiException">There is none of that name, or the file cannot be read.</exception>
    public void ReadInto(string name, Tensor destination) => ReadInto(Entry(name), destination);

    /// <summary>As <see cref="ReadInto(string, Tensor)"/>, for a tensor of this file or a part of one.</summary>
    internal void ReadInto(SafetensorsEntry entry, Tensor destination)
    {
        if (
            destination.numel() != entry.Shape.Aggregate(1L, (product, side) => product * side)
            || !destination.is_contiguous()
        )
        {
            throw new ArgumentException(
                $"'{entry.Name}' is {entry.ShapeText}; the destination is ({string.Join(", ", destination.shape)}).",
                nameof(destination)
            );
        }

        if (entry.Length == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var flat = destination.view(-1);
        var packed = entry.Packed is null ? [] : new byte[Math.Min(ChunkBytes, entry.Length)];
        var direct = destination.dtype == entry.Dtype && destination.device.type == TorchSharp.DeviceType.CPU;
        var width = entry.Length / flat.shape[0];
        var perChunk = Math.Min(ChunkBytes / width, flat.shape[0]);
        using var buffer = direct ? null : _staging.Rent(entry.Dtype, ChunkBytes / width);
        var staging = buffer?.Tensor;
        for (var at = 0L; at < flat.shape[0]; at += perChunk)
        {
            using var chunk = NewDisposeScope();
            var target = flat.narrow(0, at, Math.Min(perChunk, flat.shape[0] - at));
            var memory = staging?.narrow(0, 0, target.shape[0]) ?? target;
            if (entry.Packed is { } format)
            {
                var bytes = packed.AsSpan(0, (int)target.shape[0]);
                Fill(bytes, _dataStart + entry.Begin + at);
                format.Widen(bytes, MemoryMarshal.Cast<byte, Half>(memory.bytes));
            }
            else
            {
                Fill(memory.bytes, _dataStart + entry.Begin + (at * width));
            }

            if (staging is not null)
            {
                target.copy_(memory);
            }
        }
    }

    /// <summary>Copies a tensor's bytes as they are stored, in pieces of at most 1 MiB.</summary>
    /// <exception cref="DtiException">The file cannot be read.</exception>
    internal void CopyTo(SafetensorsEntry entry, Stream stream)
    {
        var buffer = new byte[Math.Min(ChunkBytes, entry.Length)];
        for (var at = 0L; at < entry.Length; at += buffer.Length)
        {
            var piece = buffer.AsSpan(0, (int)Math.Min(buffer.Length, entry.Length - at));
            Fill(piece, _dataStart + entry.Begin + at);
            stream.Write(piece);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _file.Dispose();
        _staging.Dispose();
    }

    private SafetensorsEntry Entry(string name) =>
        Tensors.TryGetValue(name, out var entry)
            ? entry
            : throw new DtiException(ErrorKind.FailedPrecondition, $"{Path} has no tensor '{name}'.");

    private void EnsureHasData()
    {
        if (!HasData)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                "The weights of this model are on other hosts of the cluster, and this needs a host that has them."
            );
        }
    }

    private void Fill(Span<byte> memory, long offset)
    {
        EnsureHasData();
        while (memory.Length > 0)
        {
            int read;
            try
            {
                read = RandomAccess.Read(_file, memory, offset);
            }
            catch (IOException error)
            {
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"{Path} cannot be read: {error.Message}",
                    innerException: error
                );
            }

            if (read == 0)
            {
                throw new DtiException(ErrorKind.FailedPrecondition, $"{Path} became shorter while it was read.");
            }

            memory = memory[read..];
            offset += read;
        }
    }
}
