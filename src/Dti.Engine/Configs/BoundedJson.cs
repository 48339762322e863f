using System.Text.Json;

namespace Dti.Engine.Configs;

/// <summary>JSON files from outside: their size is checked before they are read.</summary>
internal static class BoundedJson
{
    /// <exception cref="DtiException">The file is missing, too large or not JSON.</exception>
    public static JsonDocument Read(string path, long maxBytes = 1024 * 1024)
    {
        try
        {
            using var stream = File.OpenRead(path);
            return stream.Length <= maxBytes
                ? JsonDocument.Parse(stream, new JsonDocumentOptions { MaxDepth = 16 })
                : throw new DtiException(ErrorKind.FailedPrecondition, $"{path} has {stream.Length} bytes; at most {maxBytes} are read.");
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DtiException(ErrorKind.FailedPrecondition, $"{path} is missing.", innerException: error);
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DtiException(ErrorKind.FailedPrecondition, $"{path} cannot be read: {error.Message}", innerException: error);
        }
    }
}
