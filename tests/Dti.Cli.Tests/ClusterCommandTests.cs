using System.Text.Json;

namespace Dti.Cli.Tests;

public sealed class ClusterCommandTests(ServeFixture fixture)
{
    private const string Nowhere = "Host=127.0.0.1;Port=1;Database=dti;Username=dti;Password=secret";

    [Fact]
    public async Task Init_WithoutACluster_NamesTheSetting()
    {
        var result = await DtiProcess.RunAsync(fixture.NewFolder(), "cluster", "init");

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("DTI_CLUSTER__CONNECTION", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Init_DatabaseAway_SaysSoWithoutThePassword()
    {
        var result = await DtiProcess.RunAsync(fixture.NewFolder(), "cluster", "init", "--cluster", Nowhere);

        Assert.NotEqual(ExitCode.Ok, result.ExitCode);
        Assert.Contains("database cannot be used", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", result.Error + result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Status_ServerWithoutACluster_SaysSo()
    {
        var result = await DtiProcess.RunAsync(fixture.NewFolder(), "cluster", "status", "--server", fixture.Address);

        Assert.Equal(ExitCode.Ok, result.ExitCode);
        Assert.Contains("no host of a cluster", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_RoleWithoutACluster_IsRefused()
    {
        var result = await DtiProcess.RunAsync(fixture.NewFolder(), "serve", "--port", "0", "--role", "worker");

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("A worker needs the database", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_DatabaseAway_SaysWhyItDoesNotStart()
    {
        var result = await DtiProcess.RunAsync(fixture.NewFolder(), "serve", "--port", "0", "--cluster", Nowhere);

        Assert.NotEqual(ExitCode.Ok, result.ExitCode);
        Assert.Contains("database cannot be used", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_DatabaseAway_FindsTheClusterBroken()
    {
        using var doctor = DtiProcess.Start(
            fixture.NewFolder(),
            new Dictionary<string, string> { ["DTI_CLUSTER__CONNECTION"] = Nowhere },
            "doctor",
            "--json"
        );

        var result = await DtiProcess.EndAsync(doctor);

        var finding = result
            .Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Single(found => found.TryGetProperty("name", out var name) && name.GetString() == "cluster");
        Assert.Equal("broken", finding.GetProperty("state").GetString());
    }
}
