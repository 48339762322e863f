using System.Globalization;
using System.Text;

namespace Dti.Server.Libraries;

/// <summary>A file of a <see cref="FolderReplica"/>.</summary>
/// <param name="Key">The object with its content.</param>
/// <param name="Length">Bytes.</param>
internal sealed record ReplicatedFile(string Key, long Length);

/// <summary>A change of a folder that the hosts of a cluster each have a copy of.</summary>
/// <param name="Id">Tells it from others.</param>
/// <param name="Steps">In order: a place relative to the folder, and the file that comes there; null: what is there
/// goes, a folder with all that is in it.</param>
internal sealed record ReplicatedChange(string Id, IReadOnlyList<(string Place, ReplicatedFile? File)> Steps)
{
    private const string Gone = "-";

    /// <summary>Reads what <see cref="Format"/> wrote; null: it is not complete.</summary>
    public static ReplicatedChange? Parse(ReadOnlySpan<byte> bytes)
    {
        var lines = Encoding.UTF8.GetString(bytes).Split('\n');
        if (lines is not [var id, .., "end", ""])
        {
            return null;
        }

        var steps = new List<(string, ReplicatedFile?)>();
        foreach (var line in lines[1..^2])
        {
            if (
                line.Split('\t') is not [var key, var digits, var place]
                || !long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            )
            {
                return null;
            }

            steps.Add((place, key == Gone ? null : new ReplicatedFile(key, length)));
        }

        return new ReplicatedChange(id, steps);
    }

    /// <summary>A line for the id, one for each step, and one for the end.</summary>
    public byte[] Format()
    {
        var text = new StringBuilder(Id).Append('\n');
        foreach (var (place, file) in Steps)
        {
            text.Append(CultureInfo.InvariantCulture, $"{file?.Key ?? Gone}\t{file?.Length ?? 0}\t{place}\n");
        }

        return Encoding.UTF8.GetBytes(text.Append("end\n").ToString());
    }
}
