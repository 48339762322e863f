using System.Globalization;
using System.Runtime.CompilerServices;
using Dti.ClientSdk;
using Dti.Engine.Imaging;

namespace Dti.Cli.Files;

/// <summary>Files that an interpolation can be written to, in addition to its frames.</summary>
internal enum AnimationFormat
{
    Gif,
    Webp,
    Mp4,
}

/// <summary>
/// A folder of frames, <c>frame-001.png</c>, …, <c>strip.png</c> with all of them side by side, and animations.
/// </summary>
internal sealed class FrameFiles
{
    private const int WebpQuality = 90;
    private readonly string _folder;
    private readonly bool _overwrite;

    /// <summary>Creates the namer.</summary>
    /// <exception cref="CliException">The folder holds frames already, and they are not to be replaced.</exception>
    public FrameFiles(string folder, bool overwrite)
    {
        if (
            !overwrite
            && Directory.Exists(folder)
            && (
                File.Exists(StripIn(folder))
                || Directory.EnumerateFiles(folder, "frame-*").Any()
                || Directory.EnumerateFiles(folder, "animation.*").Any()
            )
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

    /// <summary>Writes the frames as animations, there and back again.</summary>
    /// <param name="frames">At least one.</param>
    /// <param name="formats">Which.</param>
    /// <param name="framesPerSecond">Frames per second.</param>
    /// <param name="cancellationToken">Stops between files.</param>
    /// <returns>Their paths.</returns>
    public async IAsyncEnumerable<string> WriteAnimationsAsync(
        IReadOnlyList<Picture> frames,
        IReadOnlyList<AnimationFormat> formats,
        int framesPerSecond,
        [EnumeratorCancellation] CancellationToken cancellationToken
    )
    {
        var order = ThereAndBack(frames);
        var time = TimeSpan.FromSeconds(1.0 / framesPerSecond);
        var images = formats.Any(format => format != AnimationFormat.Mp4) ? Decode(order) : [];
        foreach (var format in formats)
        {
            var path = Path.Combine(_folder, $"animation.{format.ToString().ToLowerInvariant()}");
            if (format == AnimationFormat.Mp4)
            {
                await VideoFile
                    .WriteAsync(path, order, framesPerSecond, VideoFile.FindEncoder(), cancellationToken)
                    .ConfigureAwait(false);
            }
            else
            {
                var file =
                    format == AnimationFormat.Gif
                        ? AnimatedGif.Encode(images, time)
                        : AnimatedWebp.Encode(images, time, WebpQuality);
                await SafeFile.WriteAsync(path, file, _overwrite, cancellationToken).ConfigureAwait(false);
            }

            yield return path;
        }
    }

    /// <summary>The frames as an animated WebP, there and back again.</summary>
    /// <param name="frames">At least one.</param>
    /// <param name="framesPerSecond">Frames per second.</param>
    public static byte[] EncodeWebp(IReadOnlyList<Picture> frames, int framesPerSecond) =>
        AnimatedWebp.Encode(Decode(ThereAndBack(frames)), TimeSpan.FromSeconds(1.0 / framesPerSecond), WebpQuality);

    private static Picture[] ThereAndBack(IReadOnlyList<Picture> frames) =>
        [.. frames, .. frames.Skip(1).SkipLast(1).Reverse()];

    private static RgbImage[] Decode(IEnumerable<Picture> frames) =>
        [.. frames.Select(frame => ImageCodec.Decode(frame.Data.Span, "frame"))];

    private static string StripIn(string folder) => Path.Combine(folder, "strip.png");
}
