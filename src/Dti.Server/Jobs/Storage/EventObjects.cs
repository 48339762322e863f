using System.Buffers.Binary;
using System.Globalization;
using Dti.Engine;
using Dti.Server.Jobs.Grains;
using Dti.Server.ObjectStorage;
using Google.Protobuf;

namespace Dti.Server.Jobs.Storage;

/// <summary>
/// The log of a job in the storage of a cluster. An attempt's part is a sequence of objects,
/// <c>events-EPOCH-START-FIRST</c>: the number of the first event of the part, and of the object. The last object of a
/// part is replaced by a longer one until it is large. An object begins with the number of bytes that follow. What an
/// attempt that has lost the job writes beyond the start of the next part does not count.
/// </summary>
/// <param name="prefix">What the keys of the job begin with.</param>
/// <param name="store">The storage.</param>
internal sealed class EventObjects(string prefix, IObjectStore store) : IEventLog
{
    private const string Name = "events-";
    private const int Header = sizeof(int);
    private const int Attempts = 5;
    private static readonly TimeSpan _readAgainAfter = TimeSpan.FromMilliseconds(50);

    /// <inheritdoc/>
    public IEventWriter OpenWriter(int epoch, long first)
    {
        store.PutAsync(KeyOf(epoch, first, first), Encode([])).WaitFor();
        return new EventObjectWriter(store, number => KeyOf(epoch, first, number), first);
    }

    /// <inheritdoc/>
    public bool IsNewest(int epoch) => !List().Any(part => part.Epoch > epoch);

    /// <inheritdoc/>
    public IEnumerable<JobEvent> Read(long from)
    {
        var all = List();
        for (var i = 0; i < all.Count; i++)
        {
            var (epoch, _, first, key) = all[i];
            var end = all.Skip(i).FirstOrDefault(later => later.Epoch > epoch)?.Start ?? long.MaxValue;
            var next = i + 1 < all.Count && all[i + 1].Epoch == epoch ? all[i + 1].First : end;
            if (first >= end || next <= from)
            {
                continue;
            }

            var number = first;
            foreach (var entry in EventFiles.Decode(Content(key)))
            {
                if (number >= end)
                {
                    break;
                }

                if (number++ >= from)
                {
                    yield return entry;
                }
            }
        }
    }

    /// <summary>An object with a content.</summary>
    internal static byte[] Encode(ReadOnlySpan<byte> content)
    {
        var encoded = new byte[Header + content.Length];
        BinaryPrimitives.WriteInt32LittleEndian(encoded, content.Length);
        content.CopyTo(encoded.AsSpan(Header));
        return encoded;
    }

    /// <summary>
    /// The content of an object. A storage that is less strict than S3 may show what is being written.
    /// </summary>
    private byte[] Content(string key)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                var read = store.GetAsync(key).WaitForResult();
                if (read is null)
                {
                    return []; // the job has just been deleted
                }

                if (read.Length >= Header && BinaryPrimitives.ReadInt32LittleEndian(read) == read.Length - Header)
                {
                    return read[Header..];
                }

                if (attempt == Attempts)
                {
                    throw StorageErrors.NoAnswer(store.Location, $"{key} is not complete");
                }
            }
            catch (DtiException error) when (StorageErrors.IsUnavailable(error) && attempt < Attempts) { }

            Thread.Sleep(_readAgainAfter);
        }
    }

    private string KeyOf(int epoch, long start, long first) =>
        string.Create(CultureInfo.InvariantCulture, $"{prefix}{Name}{epoch:D6}-{start:D12}-{first:D12}");

    private List<EventObject> List() =>
        [
            .. store
                .ListAsync(prefix + Name)
                .WaitForResult()
                .Select(found => found.Key)
                .Select(key => (Key: key, Parts: key[(prefix.Length + Name.Length)..].Split('-')))
                .Where(found => found.Parts.Length == 3)
                .Select(found => new EventObject(
                    (int)Number(found.Parts[0]),
                    Number(found.Parts[1]),
                    Number(found.Parts[2]),
                    found.Key
                )),
        ];

    private static long Number(string digits) => long.Parse(digits, NumberStyles.None, CultureInfo.InvariantCulture);

    /// <param name="Epoch">The attempt.</param>
    /// <param name="Start">The number of the attempt's first event.</param>
    /// <param name="First">The number of the object's first event.</param>
    /// <param name="Key">Its key.</param>
    private sealed record EventObject(int Epoch, long Start, long First, string Key);
}

/// <summary>
/// Writes an attempt's events to the storage of a cluster, all that have come since the last time together.
/// </summary>
internal sealed class EventObjectWriter(IObjectStore store, Func<long, string> keyOf, long first) : IEventWriter
{
    private const int MaxObjectBytes = 256 << 10; // from which on the next event begins a new object
    private const long MaxWaitingBytes = 64 << 20;
    private readonly Lock _lock = new();
    private readonly SemaphoreSlim _one = new(1);
    private readonly Queue<byte[]> _waiting = [];
    private readonly MemoryStream _object = new();
    private long _waitingBytes;
    private long _objectFirst = first;
    private long _stored = first; // number of the next event that is to be stored
    private bool _isDirty; // the object in memory is longer than the stored one

    /// <inheritdoc/>
    public long Next { get; private set; } = first;

    /// <inheritdoc/>
    public JobEvent Append(int step, IMessage message)
    {
        lock (_lock)
        {
            if (_waitingBytes > MaxWaitingBytes)
            {
                throw new IOException("The cluster's storage does not answer, and too many events wait for it.");
            }

            var entry = EventFiles.Encode(step, message, out var payload);
            _waiting.Enqueue(entry);
            _waitingBytes += entry.Length;
            Next++;
            return new JobEvent(step, payload) { Parsed = message };
        }
    }

    /// <inheritdoc/>
    public async Task StoreAsync()
    {
        await _one.WaitAsync();
        try
        {
            while (Fill())
            {
                await store.PutAsync(keyOf(_objectFirst), EventObjects.Encode(_object.ToArray()));
                _isDirty = false;
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _one.Dispose();

    /// <summary>Moves waiting events into the object.</summary>
    /// <returns>Whether it has to be stored.</returns>
    private bool Fill()
    {
        if (!_isDirty && _object.Length >= MaxObjectBytes)
        {
            _object.SetLength(0);
            _objectFirst = _stored;
        }

        lock (_lock)
        {
            while (_object.Length < MaxObjectBytes && _waiting.TryDequeue(out var entry))
            {
                _object.Write(entry);
                _waitingBytes -= entry.Length;
                _stored++;
                _isDirty = true;
            }
        }

        return _isDirty;
    }
}
