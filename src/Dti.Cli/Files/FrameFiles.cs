using System.Globalization;
using Dti.ClientSdk;

namespace Dti.Cli.Files;

/// <summary>A folder of frames, <c>frame-001.png</c>, …, and <c>strip.png</c> with all of them side by side.</summary>
internal sealed class FrameFiles
{
    private readonly string _folder;
    private readonly bool _overwrite;

    /// <summary>Creates the namer.</summary>
    /// <exception cref="CliException">The folder holds frames already, and they are not to be replaced.</exception>
    public FrameFiles(string folder, bool overwrite)
    {
        if (
            !overwrite
            && Directory.Exists(folder)
            && (File.Exists(StripIn(folder)) || Directory.EnumerateFiles(folder, "frame-*").Any())
        )
            throw new CliException(
                ExitCode.Usage,
                $"The folder '{folder}' holds frames already; name another with -o, or replace them with --force."
            );
        _folder = folder;
        _overwrite = overwrite;
    }

    public async Task<string> WriteAsync(Picture frame, CancellationToken cancellationToken)
    {
        var number = (frame.Index + 1).ToString("D3", CultureInfo.InvariantCulture);
        var path = Path.Combine(_folder, $"frame-{number}{frame.FileExtension}");
        await SafeFile.WriteAsync(path, frame.Data, _overwrite, cancellationToken).ConfigureAwait(false);
        return path;
    }

    public async Task<string> WriteStripAsync(IReadOnlyList<Picture> frames, CancellationToken cancellationToken)
    {
        var path = StripIn(_folder);
        await SafeFile.WriteAsync(path, Strip.Join(frames), _overwrite, cancellationToken).ConfigureAwait(false);
        return path;
    }

    private static string StripIn(string folder) => Path.Combine(folder, "strip.png");
}
