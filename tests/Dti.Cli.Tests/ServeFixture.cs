using System.Diagnostics;
using System.Text.Json;

[assembly: AssemblyFixture(typeof(Dti.Cli.Tests.ServeFixture))]

namespace Dti.Cli.Tests;

/// <summary><c>dti serve</c> in a process of its own, shared by all tests. An error in its log fails the run.</summary>
public sealed class ServeFixture : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-cli-").FullName;
    private Process? _process;
    private Task<string>? _error;

    public string Address { get; private set; } = "";

    /// <summary>A new folder that goes away with the fixture.</summary>
    public string NewFolder() => Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("N"))).FullName;

    /// <summary>Runs a command against the server.</summary>
    internal Task<DtiResult> RunAsync(string folder, params IEnumerable<string> arguments) =>
        DtiProcess.RunAsync(folder, [.. arguments, "--server", Address]);

    public async ValueTask InitializeAsync()
    {
        _process = DtiProcess.Start(_folder, "serve", "--port", "0", "--json");
        _error = _process.StandardError.ReadToEndAsync();
        var line = await _process.StandardOutput.ReadLineAsync();
        Address = JsonDocument.Parse(line!).RootElement.GetProperty("address").GetString()!;
    }

    public async ValueTask DisposeAsync()
    {
        await DtiProcess.InterruptAsync(_process!);
        await _process!.WaitForExitAsync();
        var (exitCode, error) = (_process.ExitCode, await _error!);
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
        Assert.Equal(ExitCode.Ok, exitCode);
        Assert.DoesNotContain("fail:", error, StringComparison.Ordinal);
    }
}
