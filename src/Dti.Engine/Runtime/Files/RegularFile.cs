using System.Text;

namespace Dti.Engine.Runtime.Files;

/// <summary>
/// Files from outside that are opened only if they are regular and not empty, links included. Opening a pipe waits for
/// its writer, and a device has no end: both have the length 0.
/// </summary>
public static class RegularFile
{
    private const int MaxSegment = 64 << 10;

    /// <summary>Whether a path is a regular file, or a link to one, that is not empty.</summary>
    public static bool Is(string path) => LengthOf(path) > 0;

    /// <summary>Bytes of a regular file; 0: it is empty, of another kind, or not there.</summary>
    public static long LengthOf(string path)
    {
        try
        {
            var file = new FileInfo(path);
            var target = file.LinkTarget is null ? file : file.ResolveLinkTarget(returnFinalTarget: true) as FileInfo;
            return target is { Exists: true } ? target.Length : 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>Opens a file for reading, if it is a regular one or there is none.</summary>
    /// <exception cref="IOException">It is not there, empty, or of another kind.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static FileStream OpenRead(string path)
    {
        EnsureIs(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
    }

    /// <summary>Refuses a file that is there and is not regular, or empty.</summary>
    /// <exception cref="IOException">It is.</exception>
    public static void EnsureIs(string path)
    {
        if (!Is(path) && File.Exists(path))
        {
            throw new IOException("It is empty, or not a regular file.");
        }
    }

    /// <summary>Reads a whole file.</summary>
    /// <param name="path">The file.</param>
    /// <param name="maxBytes">The most that is read, whatever length the file says.</param>
    /// <exception cref="IOException">It cannot be read, is not a regular file, or is larger.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be read.</exception>
    public static byte[] ReadAllBytes(string path, long maxBytes)
    {
        using var file = OpenRead(path);
        using var content = new MemoryStream((int)Math.Min(file.Length, maxBytes));
        var buffer = new byte[MaxSegment];
        while (file.Read(buffer) is > 0 and var read)
        {
            if (content.Length + read > maxBytes)
            {
                throw new IOException($"It is larger than {maxBytes} bytes.");
            }

            content.Write(buffer, 0, read);
        }

        return content.ToArray();
    }

    /// <summary>Reads a whole file of UTF-8.</summary>
    /// <inheritdoc cref="ReadAllBytes"/>
    public static string ReadAllText(string path, long maxBytes)
    {
        using var reader = new StreamReader(new MemoryStream(ReadAllBytes(path, maxBytes)), Encoding.UTF8);
        return reader.ReadToEnd();
    }
}
