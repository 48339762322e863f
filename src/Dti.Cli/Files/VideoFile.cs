using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using Dti.ClientSdk;

namespace Dti.Cli.Files;

/// <summary>MP4 files, which ffmpeg encodes.</summary>
internal static class VideoFile
{
    /// <summary>Finds ffmpeg by the PATH.</summary>
    /// <exception cref="CliException">It is not there.</exception>
    public static string FindEncoder()
    {
        var name = OperatingSystem.IsWindows() ? "ffmpeg.exe" : "ffmpeg";
        var folders = Environment.GetEnvironmentVariable("PATH")?.Split(Path.PathSeparator) ?? [];
        return folders
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists)
            ?? throw new CliException(
                ExitCode.Failed,
                "--mp4 needs ffmpeg, which is not in the PATH. Install it, or ask for --webp or --gif, which need nothing."
            );
    }

    /// <summary>Writes a video.</summary>
    /// <param name="path">The file, which is replaced.</param>
    /// <param name="frames">Images of the same size.</param>
    /// <param name="framesPerSecond">Frames per second.</param>
    /// <param name="encoder">ffmpeg.</param>
    /// <param name="cancellationToken">Ends ffmpeg.</param>
    /// <exception cref="CliException">ffmpeg failed.</exception>
    public static async Task WriteAsync(
        string path,
        IEnumerable<Picture> frames,
        int framesPerSecond,
        string encoder,
        CancellationToken cancellationToken
    )
    {
        var work = Directory.CreateTempSubdirectory("dti-video-").FullName;
        try
        {
            var ending = "";
            foreach (var (number, frame) in frames.Index())
            {
                ending = frame.FileExtension;
                var name = number.ToString("D4", CultureInfo.InvariantCulture) + ending;
                await File.WriteAllBytesAsync(Path.Combine(work, name), frame.Data, cancellationToken)
                    .ConfigureAwait(false);
            }

            var draft = Path.Combine(work, "video.mp4");
            await EncodeAsync(
                    encoder,
                    [
                        .. "-hide_banner -loglevel error -y -framerate".Split(' '),
                        framesPerSecond.ToString(CultureInfo.InvariantCulture),
                        "-i",
                        Path.Combine(work, "%04d" + ending),
                        .. "-vf pad=ceil(iw/2)*2:ceil(ih/2)*2 -pix_fmt yuv420p -movflags +faststart".Split(' '),
                        draft,
                    ],
                    cancellationToken
                )
                .ConfigureAwait(false);
            var video = await File.ReadAllBytesAsync(draft, cancellationToken).ConfigureAwait(false);
            await SafeFile.WriteAsync(path, video, overwrite: true, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    private static async Task EncodeAsync(
        string encoder,
        IEnumerable<string> arguments,
        CancellationToken cancellationToken
    )
    {
        var start = new ProcessStartInfo(encoder, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start)!;
            process.StandardInput.Close();
            using var stop = cancellationToken.Register(() => process.Kill());
            var said = await process.StandardError.ReadToEndAsync(cancellationToken).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellationToken).ConfigureAwait(false);
            if (process.ExitCode != 0)
                throw new CliException(ExitCode.Failed, $"ffmpeg could not encode the video: {said.Trim()}");
        }
        catch (Win32Exception error)
        {
            throw new CliException(ExitCode.Failed, $"ffmpeg could not be started: {error.Message}");
        }
    }
}
