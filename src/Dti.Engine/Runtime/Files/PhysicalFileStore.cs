namespace Dti.Engine.Runtime.Files;

/// <summary>The files of the operating system.</summary>
public sealed class PhysicalFileStore : IFileStore
{
    private PhysicalFileStore() { }

    /// <summary>The only one.</summary>
    public static PhysicalFileStore Instance { get; } = new();

    /// <inheritdoc/>
    public FileStream Open(string path, FileStreamOptions options) => new(path, options);

    /// <inheritdoc/>
    public void Move(string from, string to)
    {
        if (Directory.Exists(from))
        {
            Directory.Move(from, to);
        }
        else
        {
            File.Move(from, to, overwrite: true);
        }
    }

    /// <inheritdoc/>
    public void Delete(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
    }
}
