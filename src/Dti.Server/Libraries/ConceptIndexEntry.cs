using System.Buffers.Binary;
using System.Text;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Libraries;

/// <summary>A description in the index of a library (<see cref="ConceptIndex"/>).</summary>
/// <param name="Name">The name of its file.</param>
/// <param name="Time">When the file was written.</param>
/// <param name="Length">The length of the file; negative: it is gone.</param>
/// <param name="Concept">Null: it cannot be read, or is gone.</param>
internal sealed record ConceptIndexEntry(string Name, DateTime Time, long Length, Concept? Concept)
{
    /// <summary>Bytes before the first entry: the id of the index.</summary>
    public const int HeaderBytes = 16;

    // length of the rest, of the name, time and length of the file
    private const int EntryHeader = (2 * sizeof(int)) + (2 * sizeof(long));
    private const int MaxEntryBytes = 2 << 20; // a description has at most one
    private const long Absent = -1;

    /// <summary>Whether the file is gone.</summary>
    public bool IsGone => Length == Absent;

    /// <summary>The entry of a file that is gone.</summary>
    public static ConceptIndexEntry Gone(string name) => new(name, default, Absent, null);

    /// <summary>The entry of a file, there or not.</summary>
    /// <param name="folder">Where.</param>
    /// <param name="name">Its name.</param>
    /// <param name="read">Reads its description; null: it cannot be read.</param>
    public static ConceptIndexEntry Of(string folder, string name, Func<string, Concept?> read)
    {
        var file = new FileInfo(Path.Combine(folder, name));
        return file.Exists ? new(name, file.LastWriteTimeUtc, file.Length, read(file.FullName)) : Gone(name);
    }

    /// <summary>What an index begins with.</summary>
    public static byte[] Header(Guid id) => id.ToByteArray();

    /// <summary>The id of an index; empty: it has none yet.</summary>
    public static Guid ReadId(Stream stream)
    {
        var header = new byte[HeaderBytes];
        return stream.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false) == HeaderBytes
            ? new Guid(header)
            : Guid.Empty;
    }

    /// <summary>The entries from a position on. It ends before one that is not written completely.</summary>
    /// <param name="file">The index.</param>
    /// <param name="end">Where it ends.</param>
    public static List<ConceptIndexEntry> ReadAll(FileStream file, out long end)
    {
        var entries = new List<ConceptIndexEntry>();
        var header = new byte[EntryHeader];
        for (end = file.Position; file.Length - end >= EntryHeader; end = file.Position)
        {
            file.ReadExactly(header);
            var (length, name) = (Int(header, 0), Int(header, sizeof(int)));
            if (length is < 1 or > MaxEntryBytes || name < 1 || name > length || length > file.Length - file.Position)
            {
                break;
            }

            var content = new byte[length];
            file.ReadExactly(content);
            entries.Add(
                new ConceptIndexEntry(
                    Encoding.UTF8.GetString(content, 0, name),
                    new DateTime(Long(header, 2 * sizeof(int)), DateTimeKind.Utc),
                    Long(header, (2 * sizeof(int)) + sizeof(long)),
                    length > name ? Parser.ParseFrom(content, name, length - name) : null
                )
            );
        }

        return entries;
    }

    /// <summary>Writes the entry.</summary>
    public void WriteTo(Stream stream)
    {
        var (name, description) = (Encoding.UTF8.GetBytes(Name), Concept?.ToByteArray() ?? []);
        var header = new byte[EntryHeader];
        BinaryPrimitives.WriteInt32LittleEndian(header, name.Length + description.Length);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(sizeof(int)), name.Length);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(2 * sizeof(int)), Time.Ticks);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan((2 * sizeof(int)) + sizeof(long)), Length);
        stream.Write(header);
        stream.Write(name);
        stream.Write(description);
    }

    private static MessageParser<Concept> Parser => Concept.Parser;

    private static int Int(byte[] bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(at));

    private static long Long(byte[] bytes, int at) => BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(at));
}
