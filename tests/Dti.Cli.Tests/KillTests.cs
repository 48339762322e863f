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
        var (first, port) = await ServeAsync(0);
        using var own = first;
        var whole = await DtiProcess.RunAsync(_folder.FullName, Train("whole", port));
        using var command = DtiProcess.Start(_folder.FullName, Train("broken", port));
        var lines = new List<string>();
        while (!lines.Exists(line => line.Contains("\"step\":9,", StringComparison.Ordinal)))
            lines.Add(await command.ReadLineAsync());

        await first.KillAsync();
        var (second, _) = await ServeAsync(port);
        using var ownToo = second;
        var rest = await DtiProcess.EndAsync(command);
        var broken = new DtiResult(rest.ExitCode, string.Join('\n', lines) + "\n" + rest.Output, rest.Error);

        Assert.Equal((ExitCode.Ok, ExitCode.Ok), (whole.ExitCode, broken.ExitCode));
        Assert.Equal(Enumerable.Range(1, 30), broken.EventsOf("progress").Select(step => step.GetProperty("step").GetInt32()));
        Assert.Equal(
            whole.EventsOf("progress").Select(step => step.GetProperty("loss").GetDouble()), broken.EventsOf("progress").Select(step => step.GetProperty("loss").GetDouble()));
        DtiProcess.Interrupt(second);
        Assert.Equal(ExitCode.Ok, (await DtiProcess.EndAsync(second)).ExitCode);
    }

    private static string[] Train(string name, int port) =>
    [
        "train", name, Fixtures.Common("preprocess_square.png"), "--initializer", "cat", "--steps", "30", "--batch", "1", "--resolution", "64", "--seed", "1",
        "--preview-every", "0", "--json", "--server", $"http://127.0.0.1:{port}",
    ];

    private async Task<(DtiProcess Server, int Port)> ServeAsync(int port)
    {
        var server = DtiProcess.Start(_folder.FullName, "serve", "--port", $"{port}", "--json");
        var listening = await server.ReadEventAsync();
        return (server, new Uri(listening.GetProperty("address").GetString()!).Port);
    }
}
