using System.Text.Json;
using System.Text.RegularExpressions;
using Dti.Engine.Runtime.Files;

namespace Dti.Engine.Configs;

/// <summary>JSON files from outside: their size is checked before they are read.</summary>
internal static partial class BoundedJson
{
    private const long PythonBytes = 1024 * 1024; // a config; a vocabulary holds no such numbers

    /// <exception cref="DtiException">The file is missing, too large or not JSON.</exception>
    public static JsonDocument Read(string path, long maxBytes = 1024 * 1024)
    {
        try
        {
            using var stream = RegularFile.OpenRead(path);
            return stream.Length <= maxBytes
                ? Parse(stream)
                : throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"{path} has {stream.Length} bytes; at most {maxBytes} are read."
                );
        }
        catch (Exception error) when (error is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new DtiException(ErrorKind.FailedPrecondition, $"{path} is missing.", innerException: error);
        }
        catch (Exception error) when (error is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{path} cannot be read: {error.Message}",
                innerException: error
            );
        }
    }

    private static JsonDocument Parse(Stream stream)
    {
        var options = new JsonDocumentOptions { MaxDepth = 16 };
        try
        {
            return JsonDocument.Parse(stream, options);
        }
        catch (JsonException) when (stream.Length <= PythonBytes)
        {
            stream.Position = 0;
            using var reader = new StreamReader(stream);
            return JsonDocument.Parse(PythonNumber().Replace(reader.ReadToEnd(), "$1\"$2\""), options);
        }
    }

    // Python's json writes numbers that JSON has not: "lambda_min_clipped": -Infinity. Each becomes a text.
    [GeneratedRegex(@"([:\[,]\s*)(-?Infinity|NaN)(?=\s*[,\]}])", RegexOptions.CultureInvariant)]
    private static partial Regex PythonNumber();
}
