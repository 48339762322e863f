namespace Dti.Cli.Files;

/// <summary>Prompts to train with, one a line; empty lines and those that begin with # are left out.</summary>
internal static class TemplateFile
{
    /// <exception cref="CliException">There is no such file, or it holds no prompt.</exception>
    public static IReadOnlyList<string> Read(string path)
    {
        if (!File.Exists(path))
            throw new CliException(ExitCode.NotFound, $"There is no file '{path}'.");

        var lines = CaptionText
            .Read(path)
            .ReplaceLineEndings("\n")
            .Split('\n')
            .Select(line => line.Trim())
            .Where(line => line.Length > 0 && line[0] != '#')
            .ToList();
        return lines.Count > 0
            ? lines
            : throw new CliException(
                ExitCode.Usage,
                $"'{path}' holds no prompt; write one a line, with {{concept}} where the concept is named."
            );
    }
}
