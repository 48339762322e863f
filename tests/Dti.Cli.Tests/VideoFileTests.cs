using Dti.Cli.Files;
using Dti.ClientSdk;

namespace Dti.Cli.Tests;

/// <summary><c>dti interpolate --mp4</c>, which ffmpeg encodes.</summary>
public class VideoFileTests(ServeFixture server)
{
    [Fact]
    public async Task Mp4_WithoutFfmpeg_IsRefusedBeforeAnythingIsGenerated()
    {
        var folder = server.NewFolder();

        var result = await DtiProcess.EndAsync(
            DtiProcess.Start(
                folder,
                new Dictionary<string, string> { ["PATH"] = folder },
                "interpolate",
                "a",
                "b",
                "--mp4"
            )
        );

        Assert.Equal((ExitCode.Failed, ""), (result.ExitCode, result.Output));
        Assert.StartsWith(
            "error: --mp4 needs ffmpeg, which is not in the PATH.",
            result.Error,
            StringComparison.Ordinal
        );
    }

    /// <summary>A program that joins its frames in the place of ffmpeg, found by the PATH.</summary>
    [Fact]
    public async Task Write_Frames_GivesThemToFfmpegInOrder()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the program is a shell script");
        var folder = server.NewFolder();
        var program = Path.Combine(folder, "ffmpeg");
        await File.WriteAllTextAsync(
            program,
            """
            #!/bin/sh
            while [ $# -gt 1 ]; do
              [ "$1" = -i ] && frames=${2%/*}
              [ "$1" = -framerate ] && rate=$2
              shift
            done
            { echo "$rate"; cat "$frames"/0000.png "$frames"/0001.png; } > "$1"

            """,
            TestContext.Current.CancellationToken
        );
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        Picture[] frames =
        [
            .. "ab".Select((letter, index) => new Picture(new[] { (byte)letter }, "image/png", 1, 1, index, "", 1, 0)),
        ];
        var path = Path.Combine(folder, "animation.mp4");

        await VideoFile.WriteAsync(path, frames, 12, program, TestContext.Current.CancellationToken);

        Assert.Equal("12\nab", await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Write_FfmpegThatFails_SaysWhatItSaid()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the program is one of Linux");
        var path = Path.Combine(server.NewFolder(), "animation.mp4");

        var error = await Assert.ThrowsAsync<CliException>(() =>
            VideoFile.WriteAsync(path, [], 12, "/bin/false", TestContext.Current.CancellationToken)
        );

        Assert.StartsWith("ffmpeg could not encode the video", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(path));
    }
}
