using Dti.Tests;

namespace Dti.Cli.Tests;

/// <summary>A server that is killed, as the one who trains at it sees it.</summary>
public sealed class KillTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-kill-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Serve_KilledWhileTraining_TheCommandGoesOnWithTheNextServerToTheSameConcept()
    {
        var (whole, broken) = await RunAcrossAKillAsync((name, port) => Train(name, port), "\"step\":9,");

        Assert.Equal(
            Enumerable.Range(1, 30),
            broken.EventsOf("progress").Select(step => step.GetProperty("step").GetInt32())
        );
        Assert.Equal(
            whole.EventsOf("progress").Select(step => step.GetProperty("loss").GetDouble()),
            broken.EventsOf("progress").Select(step => step.GetProperty("loss").GetDouble())
        );
    }

    [Fact]
    public async Task Serve_KilledWhileGenerating_TheCommandGetsTheRestOfTheImagesFromTheNextServer()
    {
        var (_, broken) = await RunAcrossAKillAsync(
            (name, port) => Generate(name + "/", port),
            "\"event\":\"picture\""
        );

        Assert.Equal([0, 1, 2], broken.EventsOf("picture").Select(image => image.GetProperty("index").GetInt32()));
        Assert.Equal(Images("whole"), Images("broken"));
    }

    [Fact]
    public async Task Train_InterruptedWhileItsServerIsKilled_IsCancelledByTheNextServer()
    {
        var (first, port) = await ServeAsync(0);
        using var own = first;
        using var command = DtiProcess.Start(_folder.FullName, Train("left", port, 100_000));
        var line = "";
        while (!line.Contains("\"event\":\"progress\"", StringComparison.Ordinal))
            line = await command.ReadLineAsync();

        await first.KillAsync();
        while (!line.Contains("\"event\":\"connection_lost\"", StringComparison.Ordinal))
            line = await command.ReadLineAsync();
        DtiProcess.Interrupt(command);
        var (second, _) = await ServeAsync(port);
        using var ownToo = second;
        var left = await DtiProcess.EndAsync(command);

        Assert.Equal(ExitCode.Cancelled, left.ExitCode);
        Assert.Equal("CANCELLED", left.Event("error").GetProperty("code").GetString());
        var job = "";
        while (!job.Contains("\"cancelled\"", StringComparison.OrdinalIgnoreCase))
        {
            var listed = await DtiProcess.RunAsync(
                _folder.FullName,
                "jobs",
                "list",
                "--json",
                "--server",
                Address(port)
            );
            job = listed.Output;
        }

        DtiProcess.Interrupt(second);
        await DtiProcess.EndAsync(second);
    }

    /// <summary>
    /// A command that runs undisturbed, and the same command whose server is killed once the command has printed a
    /// text, and is started again.
    /// </summary>
    private async Task<(DtiResult Whole, DtiResult Broken)> RunAcrossAKillAsync(
        Func<string, int, string[]> arguments,
        string killAt
    )
    {
        var (first, port) = await ServeAsync(0);
        using var own = first;
        var whole = await DtiProcess.RunAsync(_folder.FullName, arguments("whole", port));
        using var command = DtiProcess.Start(_folder.FullName, arguments("broken", port));
        var lines = new List<string>();
        while (!lines.Exists(line => line.Contains(killAt, StringComparison.Ordinal)))
            lines.Add(await command.ReadLineAsync());

        await first.KillAsync();
        var (second, _) = await ServeAsync(port);
        using var ownToo = second;
        var rest = await DtiProcess.EndAsync(command);
        var broken = new DtiResult(rest.ExitCode, string.Join('\n', lines) + "\n" + rest.Output, rest.Error);
        Assert.Equal((ExitCode.Ok, ExitCode.Ok), (whole.ExitCode, broken.ExitCode));
        DtiProcess.Interrupt(second);
        Assert.Equal(ExitCode.Ok, (await DtiProcess.EndAsync(second)).ExitCode);
        return (whole, broken);
    }

    private static string[] Generate(string folder, int port) =>
        [
            "generate",
            "a photo of a cat",
            "-n",
            "3",
            "-o",
            folder,
            "--width",
            "64",
            "--height",
            "64",
            "--steps",
            "6",
            "--seed",
            "1",
            "--json",
            "--server",
            Address(port),
        ];

    private IEnumerable<string> Images(string folder) =>
        Directory
            .GetFiles(Path.Combine(_folder.FullName, folder))
            .Order(StringComparer.Ordinal)
            .Select(file => Convert.ToHexString(File.ReadAllBytes(file)));

    private static string Address(int port) => $"http://127.0.0.1:{port}";

    private static string[] Train(string name, int port, int steps = 30) =>
        [
            "train",
            name,
            Fixtures.Common("preprocess_square.png"),
            .. QuickTraining.Options(steps),
            "--json",
            "--server",
            Address(port),
        ];

    private async Task<(DtiProcess Server, int Port)> ServeAsync(int port)
    {
        var server = DtiProcess.Start(_folder.FullName, "serve", "--port", $"{port}", "--json");
        var listening = await server.ReadEventAsync();
        return (server, new Uri(listening.GetProperty("address").GetString()!).Port);
    }
}
