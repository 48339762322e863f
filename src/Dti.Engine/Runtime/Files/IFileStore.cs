namespace Dti.Engine.Runtime.Files;

/// <summary>The operations by which files and folders change on a disk.</summary>
public interface IFileStore
{
    /// <summary>Opens a file to write.</summary>
    /// <exception cref="IOException">The disk is full, or the file cannot be opened.</exception>
    FileStream Open(string path, FileStreamOptions options);

    /// <summary>Moves a file or a folder; a file there is replaced, a folder must not be there.</summary>
    /// <exception cref="IOException">It cannot be moved.</exception>
    void Move(string from, string to);

    /// <summary>Deletes a file, or a folder with all that is in it.</summary>
    /// <exception cref="IOException">It cannot be deleted.</exception>
    void Delete(string path);
}
