[assembly: AssemblyFixture(typeof(Dti.Cli.Tests.ServeFixture))]

namespace Dti.Cli.Tests;

/// <summary><c>dti serve</c> in a process of its own, shared by all tests. An error in its log fails the run.</summary>
public sealed class ServeFixture : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-cli-").FullName;
    private DtiProcess? _process;

    public string Address { get; private set; } = "";

    /// <summary>A new folder that goes away with the fixture.</summary>
    public string NewFolder() =>
        Directory.CreateDirectory(Path.Combine(_folder, Guid.NewGuid().ToString("N"))).FullName;

    /// <summary>Runs a command against the server.</summary>
    internal Task<DtiResult> RunAsync(string folder, params IEnumerable<string> arguments) =>
        DtiProcess.RunAsync(folder, [.. arguments, "--server", Address]);

    public async ValueTask InitializeAsync()
    {
        _process = DtiProcess.Start(_folder, "serve", "--port", "0", "--json");
        Address = (await _process.ReadEventAsync()).GetProperty("address").GetString()!;
    }

    public async ValueTask DisposeAsync()
    {
        using var process = _process!;
        DtiProcess.Interrupt(process);
        var ended = await process.EndAsync();
        Directory.Delete(_folder, recursive: true);
        Assert.Equal(ExitCode.Ok, ended.ExitCode);
        Assert.DoesNotContain("fail:", ended.Error, StringComparison.Ordinal);
    }
}
