using System.Buffers.Binary;
using System.Globalization;
using Dti.Engine.Runtime.Files;
using Dti.Server.Jobs.Grains;
using Google.Protobuf;

namespace Dti.Server.Jobs.Storage;

/// <summary>
/// The log of a job: a file per attempt, <c>events-0001.log</c>. Each begins with the number of its first event, so
/// that whatever an attempt that has lost the job still wrote beyond it does not count. What a killed process wrote
/// half is passed over.
/// </summary>
/// <param name="folder">The job's folder.</param>
/// <param name="files">The disk.</param>
/// <param name="isShared">Whether other machines read it: an event is then with the file server, not only with the
/// operating system, when it is written.</param>
internal sealed class EventFiles(string folder, IFileStore files, bool isShared = false) : IEventLog
{
    private const string Prefix = "events-";
    private const string Ending = ".log";
    private const int Header = sizeof(long);
    private const int EntryHeader = 2 * sizeof(int); // length of the message, step

    /// <inheritdoc cref="OpenWriter(int, long)"/>
    public EventWriter OpenWriter(int epoch) => OpenWriter(epoch, Read(0).LongCount());

    IEventWriter IEventLog.OpenWriter(int epoch, long first) => OpenWriter(epoch, first);

    /// <inheritdoc cref="IEventLog.OpenWriter"/>
    public EventWriter OpenWriter(int epoch, long first)
    {
        var path = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{Prefix}{epoch:D4}{Ending}"));
        var header = new byte[Header];
        BinaryPrimitives.WriteInt64LittleEndian(header, first);
        AtomicFile.WriteAllBytes(path, header, files: files);
        var options = new FileStreamOptions
        {
            Mode = FileMode.Append,
            Access = FileAccess.Write,
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            Options = isShared ? FileOptions.WriteThrough : FileOptions.None,
        };
        return new EventWriter(files.Open(path, options), first);
    }

    /// <inheritdoc/>
    public bool IsNewest(int epoch) => !Parts().Any(part => part.Epoch > epoch);

    /// <inheritdoc/>
    public IEnumerable<JobEvent> Read(long from)
    {
        (int Epoch, string Path)[] parts = [.. Parts().OrderBy(part => part.Epoch)];
        var firsts = Array.ConvertAll(parts, part => First(part.Path));
        for (var i = 0; i < parts.Length; i++)
        {
            var end = i + 1 < parts.Length ? firsts[i + 1] : long.MaxValue;
            if (end <= from || firsts[i] < 0)
            {
                continue;
            }

            var number = Math.Max(firsts[i], from);
            foreach (var entry in ReadPart(parts[i].Path, number - firsts[i]))
            {
                if (number++ >= end)
                {
                    break;
                }

                yield return entry;
            }
        }
    }

    internal static byte[] Encode(int step, IMessage message, out byte[] payload)
    {
        payload = message.ToByteArray();
        var entry = new byte[EntryHeader + payload.Length];
        BinaryPrimitives.WriteInt32LittleEndian(entry, payload.Length);
        BinaryPrimitives.WriteInt32LittleEndian(entry.AsSpan(sizeof(int)), step);
        payload.CopyTo(entry, EntryHeader);
        return entry;
    }

    internal static IEnumerable<JobEvent> Decode(byte[] entries) => Decode(new MemoryStream(entries), 0);

    private static IEnumerable<JobEvent> ReadPart(string path, long skipped)
    {
        using var file = OpenToRead(path);
        file.Position = Header;
        foreach (var entry in Decode(file, skipped))
        {
            yield return entry;
        }
    }

    private static IEnumerable<JobEvent> Decode(Stream file, long skipped)
    {
        var header = new byte[EntryHeader];
        while (file.ReadAtLeast(header, EntryHeader, throwOnEndOfStream: false) == EntryHeader)
        {
            var length = BinaryPrimitives.ReadInt32LittleEndian(header);
            if (length <= 0 || length > file.Length - file.Position)
            {
                yield break; // half an entry, the last that a killed process wrote
            }

            if (skipped-- > 0)
            {
                file.Position += length; // it may be an image
                continue;
            }

            var payload = new byte[length];
            file.ReadExactly(payload);
            yield return new JobEvent(BinaryPrimitives.ReadInt32LittleEndian(header.AsSpan(sizeof(int))), payload);
        }
    }

    private static long First(string path)
    {
        using var file = OpenToRead(path);
        var header = new byte[Header];
        return file.ReadAtLeast(header, Header, throwOnEndOfStream: false) == Header
            ? BinaryPrimitives.ReadInt64LittleEndian(header)
            : -1;
    }

    private static FileStream OpenToRead(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);

    private IEnumerable<(int Epoch, string Path)> Parts() =>
        Directory.Exists(folder)
            ? Directory
                .EnumerateFiles(folder, Prefix + "*" + Ending)
                .Select(path =>
                    (
                        int.Parse(
                            Path.GetFileNameWithoutExtension(path).AsSpan(Prefix.Length),
                            NumberStyles.None,
                            CultureInfo.InvariantCulture
                        ),
                        path
                    )
                )
            : [];
}

/// <summary>
/// Writes an attempt's events; each is with the operating system when <see cref="Append"/> returns, so that a killed
/// process loses none.
/// </summary>
internal sealed class EventWriter(FileStream file, long first) : IEventWriter
{
    /// <inheritdoc/>
    public long Next { get; private set; } = first;

    /// <inheritdoc/>
    public Task StoreAsync() => Task.CompletedTask;

    /// <inheritdoc/>
    public JobEvent Append(int step, IMessage message)
    {
        var start = file.Position;
        try
        {
            file.Write(EventFiles.Encode(step, message, out var payload));
            Next++;
            return new JobEvent(step, payload) { Parsed = message };
        }
        catch (IOException)
        {
            file.SetLength(start); // what comes after half an entry could not be read
            throw;
        }
    }

    public void Dispose() => file.Dispose();
}
