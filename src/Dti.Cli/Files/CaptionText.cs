using System.Text;

namespace Dti.Cli.Files;

/// <summary>Text files of captions and prompts: UTF-8, or UTF-16 with its mark.</summary>
internal static class CaptionText
{
    private static readonly UTF8Encoding _strict = new(
        encoderShouldEmitUTF8Identifier: false,
        throwOnInvalidBytes: true
    );

    /// <summary>Reads a file.</summary>
    /// <exception cref="CliException">It is in another encoding, such as a Windows code page.</exception>
    public static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path, _strict);
        }
        catch (DecoderFallbackException)
        {
            throw new CliException(
                ExitCode.Usage,
                $"The text file '{path}' is neither UTF-8 nor UTF-16. Save it as UTF-8. Captions can be left out with --captions ignore."
            );
        }
    }
}
