using Dti.Tests;

namespace Dti.Cli.Tests;

/// <summary>What is in packaging/.</summary>
public class PackagingTests(ServeFixture server)
{
    private static readonly string _folder = Path.Combine(Fixtures.Repository, "packaging");

    [Fact]
    public async Task Appsettings_OfThePackage_HoldsNothingButSettings()
    {
        var result = await DtiProcess.RunAsync(
            server.NewFolder(),
            "doctor",
            "--config",
            Path.Combine(_folder, "appsettings.json"),
            "--json"
        );
        Assert.DoesNotContain(result.EventsOf("finding"), finding =>
            finding.GetProperty("name").GetString() == "setting"
        );
    }

    [Fact]
    public async Task Unit_OfThePackage_IsOneThatSystemdTakes()
    {
        const string Analyzer = "/usr/bin/systemd-analyze";
        Assert.SkipUnless(File.Exists(Analyzer), "this system has no systemd");
        var unit = Path.Combine(server.NewFolder(), "dti.service");
        await File.WriteAllTextAsync(
            unit,
            (await File.ReadAllTextAsync(Path.Combine(_folder, "systemd", "dti.service"))).Replace(
                "/opt/dti/dti",
                $"\"{DtiProcess.Program}\"",
                StringComparison.Ordinal
            )
        );
        using var verify = DtiProcess.StartBy(Analyzer, server.NewFolder(), [], "verify", unit);
        var result = await verify.EndAsync();
        Assert.Equal((0, ""), (result.ExitCode, result.Error));
    }
}
