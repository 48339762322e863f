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

    /// <summary>A folder such as "C:\Program Files" is one argument wherever it is used.</summary>
    [Fact]
    public void InstallScript_Paths_AreQuoted()
    {
        var lines = File.ReadAllLines(Path.Combine(_folder, "windows", "install.ps1"));

        foreach (var line in lines.Where(line => !line.TrimStart().StartsWith("[string]", StringComparison.Ordinal)))
        foreach (var path in new[] { "$Program", "$Data", @"C:\Program Files" })
            for (
                var at = line.IndexOf(path, StringComparison.Ordinal);
                at >= 0;
                at = line.IndexOf(path, at + 1, StringComparison.Ordinal)
            )
                Assert.True(line[..at].Replace("`\"", "").Count(character => character == '"') % 2 == 1, line);
    }

    [Fact]
    public void InstallScript_Uninstall_StopsTheServiceBeforeItIsRemoved()
    {
        var script = File.ReadAllText(Path.Combine(_folder, "windows", "install.ps1"));
        var uninstall = script[
            script.IndexOf("if ($Uninstall)", StringComparison.Ordinal)..script.IndexOf(
                "    return",
                StringComparison.Ordinal
            )
        ];

        Assert.Contains("[switch]$Uninstall", script, StringComparison.Ordinal);
        Assert.InRange(
            uninstall.IndexOf("Stop-Service", StringComparison.Ordinal),
            1,
            uninstall.IndexOf("sc.exe delete", StringComparison.Ordinal)
        );
        Assert.DoesNotContain("Remove-Item", uninstall, StringComparison.Ordinal); // concepts stay
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
