using System.Globalization;
using System.Text;
using Dti.Engine;
using Dti.Engine.Runtime.Files;

namespace Dti.Server.Libraries;

/// <summary>
/// What a <see cref="FolderReplica"/> has applied: the number of the newest change, and which object has the content of
/// each file. The file <c>.replica</c> has the same as a list of changes. Not thread-safe.
/// </summary>
internal sealed class ReplicaState : IDisposable
{
    private const string FileName = ".replica";
    private const string LockName = ".replica.lock";
    private const string ChangeMark = "change ";
    private readonly Dictionary<string, ReplicatedFile> _files = new(StringComparer.Ordinal);
    private readonly string _storage;
    private readonly string _path;
    private readonly FileStream _lock;
    private FileStream? _log;
    private int _lines;

    /// <param name="folder">The folder, which is there.</param>
    /// <param name="storage">What it is a copy of.</param>
    /// <exception cref="DtiException">The folder is of another storage, of a server without a cluster, or used by
    /// another host.</exception>
    public ReplicaState(string folder, string storage)
    {
        (_storage, _path) = (storage, Path.Combine(folder, FileName));
        if (
            !File.Exists(_path)
            && Directory.EnumerateFileSystemEntries(folder).Any(entry => !Path.GetFileName(entry).StartsWith('.'))
        )
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"The folder {folder} has files that are not of the cluster's storage {storage}. Name an empty folder (--data), and import the concepts through a gateway."
            );
        }

        _lock = LockFile.TryHold(Path.Combine(folder, LockName), TimeSpan.Zero)
            ?? throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"The folder {folder} is used by another host. With Cluster.Storage, each host needs a separate folder (--data)."
            );
        try
        {
            Read(folder);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The number of the newest change.</summary>
    public long Number { get; private set; }

    /// <summary>The file at a place; null: there is none.</summary>
    public ReplicatedFile? Find(string place) => _files.GetValueOrDefault(place);

    /// <summary>Places and files.</summary>
    public IEnumerable<KeyValuePair<string, ReplicatedFile>> Files => _files;

    /// <summary>Applies a change.</summary>
    /// <returns>The objects that no file has any more.</returns>
    public IReadOnlyList<string> Apply(long number, ReplicatedChange change)
    {
        var replaced = Note(number, change);
        Append(number, change);
        if (AppendedFile.IsWasteful(_lines, _files.Count))
        {
            Rewrite();
        }

        return replaced;
    }

    /// <summary>Takes over the files of a checkpoint.</summary>
    public void Reset(long number, ReplicatedChange files)
    {
        _files.Clear();
        Note(number, files);
        Rewrite();
    }

    /// <summary>All files as one change.</summary>
    public ReplicatedChange ToChange() =>
        new("checkpoint", [.. _files.Select(file => (file.Key, (ReplicatedFile?)file.Value))]);

    /// <inheritdoc/>
    public void Dispose()
    {
        _log?.Dispose();
        _lock.Dispose();
    }

    private List<string> Note(long number, ReplicatedChange change)
    {
        var replaced = new List<string>();
        foreach (var (place, file) in change.Steps)
        {
            if (_files.Remove(place, out var before))
            {
                replaced.Add(before.Key);
            }
            else if (file is null && Path.GetExtension(place).Length == 0) // perhaps a folder
            {
                foreach (
                    var inside in _files
                        .Keys.Where(key => key.StartsWith(place + "/", StringComparison.Ordinal))
                        .ToList()
                )
                {
                    _files.Remove(inside, out before);
                    replaced.Add(before!.Key);
                }
            }

            if (file is not null)
            {
                _files.Add(place, file);
            }
        }

        Number = number;
        _lines += change.Steps.Count;
        return replaced;
    }

    private static byte[] Entry(long number, ReplicatedChange change) =>
        [
            .. Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{ChangeMark}{number}\n")),
            .. change.Format(),
        ];

    private void Append(long number, ReplicatedChange change)
    {
        _log ??= new FileStream(_path, FileMode.Append, FileAccess.Write, FileShare.Read);
        _log.Write(Entry(number, change));
        _log.Flush(flushToDisk: true);
    }

    private void Rewrite()
    {
        _log?.Dispose();
        _log = null;
        AtomicFile.WriteAllBytes(
            _path,
            (byte[])[.. Encoding.UTF8.GetBytes(_storage + "\n"), .. Number > 0 ? Entry(Number, ToChange()) : []]
        );
        _lines = _files.Count;
    }

    // A change that a killed process wrote half is cut off, and applied again.
    private void Read(string folder)
    {
        var text = File.Exists(_path) ? File.ReadAllText(_path) : "";
        var header = text.IndexOf('\n', StringComparison.Ordinal);
        if (header < 0)
        {
            Rewrite();
            return;
        }

        if (text[..header] != _storage)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"The folder {folder} is a copy of {text[..header]}, and this host uses {_storage}. Name another folder (--data)."
            );
        }

        var end = header + 1;
        while (TryReadEntry(text, ref end)) { }

        if (end < text.Length)
        {
            Rewrite();
        }
    }

    private bool TryReadEntry(string text, ref int at)
    {
        const string last = "\nend\n";
        var end = text.IndexOf(last, at, StringComparison.Ordinal) + last.Length;
        if (end < last.Length || !text.AsSpan(at).StartsWith(ChangeMark))
        {
            return false;
        }

        var line = text.IndexOf('\n', at);
        if (
            !long.TryParse(
                text.AsSpan((at + ChangeMark.Length)..line),
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var number
            ) || ReplicatedChange.Parse(Encoding.UTF8.GetBytes(text[(line + 1)..end])) is not { } change
        )
        {
            return false;
        }

        Note(number, change);
        at = end;
        return true;
    }
}
