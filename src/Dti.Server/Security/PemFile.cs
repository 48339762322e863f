using Dti.Engine;
using Dti.Engine.Runtime.Files;

namespace Dti.Server.Security;

/// <summary>Certificates and keys as text.</summary>
internal static class PemFile
{
    private const long MaxBytes = 1024 * 1024;

    /// <exception cref="DtiException">It cannot be read.</exception>
    public static string Read(string path)
    {
        try
        {
            return RegularFile.ReadAllText(path, MaxBytes);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, error.Message);
        }
    }

    public static DtiException Unusable(string path, string why) =>
        new(ErrorKind.FailedPrecondition, $"The file {path} cannot be used: {why.TrimEnd('.')}.");
}
