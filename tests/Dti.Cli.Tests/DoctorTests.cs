using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Dti.Tests;

namespace Dti.Cli.Tests;

public class DoctorTests(ServeFixture server)
{
    [Fact]
    public async Task Doctor_HealthyMachineAndServer_FindsNothingBroken()
    {
        var result = await server.RunAsync(server.NewFolder(), "doctor", "--json");
        Assert.Equal(ExitCode.Ok, result.ExitCode);
        Assert.Equal(0, result.Event("doctor").GetProperty("broken").GetInt32());
        foreach (
            var name in new[]
            {
                "native library",
                "device",
                "concepts",
                "temporary",
                "disk",
                "clock",
                "model",
                "server",
            }
        )
            Assert.NotEqual("broken", Find(result, name).GetProperty("state").GetString());
        Assert.Contains(
            Path.Combine(
                Path.GetDirectoryName(DtiProcess.Program)!,
                OperatingSystem.IsWindows() ? "LibTorchSharp.dll" : "libLibTorchSharp.so"
            ),
            Text(result, "native library"),
            StringComparison.Ordinal
        );
        Assert.Contains("libtorch 2.", Text(result, "native library"), StringComparison.Ordinal);
        Assert.Contains("dti-mini", Text(result, "model"), StringComparison.Ordinal);
        Assert.Contains($"{server.Address} is ready", Text(result, "server"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_SeveralThingsBroken_NamesEachWithWhatToDo()
    {
        var folder = server.NewFolder();
        await File.WriteAllTextAsync(Path.Combine(folder, "home"), "a file where the folder of concepts is to be");
        var result = await DtiProcess.EndAsync(
            DtiProcess.Start(
                folder,
                new Dictionary<string, string>
                {
                    ["DTI_DEVICE"] = "cuda:9",
                    ["DTI_MIN_FREE_DISK_BYTES"] = $"{long.MaxValue}",
                    ["DTI_SERVER"] = "http://127.0.0.1:1",
                },
                "doctor",
                "--models",
                "nowhere"
            )
        );

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        var lines = result.Output.Split('\n');
        Assert.Contains(lines, line =>
            line.StartsWith("broken device", StringComparison.Ordinal)
            && line.Contains("'cuda:9' is not here", StringComparison.Ordinal)
        );
        Assert.Contains(lines, line => line.StartsWith("broken concepts", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("broken jobs", StringComparison.Ordinal));
        Assert.Contains(lines, line =>
            line.StartsWith("doubt  tokens", StringComparison.Ordinal)
            && line.Contains("tokens cannot be made or revoked", StringComparison.Ordinal)
        );
        Assert.Contains(lines, line => line.StartsWith("broken disk", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("broken server", StringComparison.Ordinal));
        Assert.Contains(lines, line =>
            line.StartsWith("doubt  models", StringComparison.Ordinal)
            && line.Contains("nowhere is not there", StringComparison.Ordinal)
        );
        Assert.Matches(@"dti['""]? serve\)", result.Output); // a path with a space is in quotes
        Assert.Contains("5 things are broken.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Doctor_SettingsThatAreWrong_AreNamedBesideTheRest()
    {
        var folder = server.NewFolder();
        await File.WriteAllTextAsync(
            Path.Combine(folder, "my.json"),
            """{"Dti": {"Prot": 1, "JobHistory": 0}, "Logging": {"LogLevel": {"Dti": "Loud"}}}"""
        );
        var result = await DtiProcess.RunAsync(folder, "doctor", "--config", "my.json", "--json");
        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Equal(
            [
                "Logging.LogLevel.Dti is 'Loud'; it must be one of Trace, Debug, Information, Warning, Error, Critical, None.",
                "Prot is no setting. Close: Port.",
                "JobHistory is 0; it must be from 1 to 100000.",
            ],
            result
                .EventsOf("finding")
                .Where(finding => finding.GetProperty("name").GetString() == "setting")
                .Select(finding =>
                    finding.GetProperty("text").GetString()!.Replace($"{Path.Combine(folder, "my.json")}: ", "")
                )
        );
        Assert.Equal("good", Find(result, "device").GetProperty("state").GetString());
    }

    [Fact]
    public async Task Doctor_PortInUse_SaysSo()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var result = await DtiProcess.EndAsync(
            DtiProcess.Start(
                server.NewFolder(),
                new Dictionary<string, string> { ["DTI_WEB_PORT"] = $"{port}" },
                "doctor",
                "--json"
            )
        );
        Assert.Equal($"127.0.0.1:{port} is in use", Text(result, "web port"));
        Assert.Equal(ExitCode.Ok, result.ExitCode);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("dti.invalid")] // this machine cannot know where that leads, and used to say that no server runs
    [InlineData("*.dti.invalid")]
    public async Task Doctor_SettingsWithTls_AsksTheirServerByTls(string? name)
    {
        var folder = server.NewFolder();
        using var authority = Certificates.Authority();
        using var own = name is null
            ? Certificates.For(IPAddress.Loopback, authority)
            : Certificates.For(name, authority);
        var (certificate, key) = Certificates.Write(folder, "server", own);
        var (ca, _) = Certificates.Write(folder, "ca", authority);
        string[] tls = ["--tls-cert", certificate, "--tls-key", key];
        using var guarded = DtiProcess.Start(folder, ["serve", "--port", "0", "--json", .. tls]);
        var address = (await guarded.ReadEventAsync()).GetProperty("address").GetString()!;
        var environment = new Dictionary<string, string>
        {
            ["DTI_PORT"] = address[(address.LastIndexOf(':') + 1)..],
            ["DTI_SECURITY__TLS_CERTIFICATE"] = certificate,
            ["DTI_SECURITY__TLS_KEY"] = key,
            ["DTI_CA"] = ca,
        };

        var result = await DtiProcess.EndAsync(DtiProcess.Start(folder, environment, "doctor", "--json"));
        var ready = await DtiProcess.EndAsync(DtiProcess.Start(folder, environment, "doctor", "--ready"));
        await guarded.KillAsync();

        Assert.StartsWith("https://", address, StringComparison.Ordinal);
        var known = name is null
            ? address
            : address.Replace(
                "127.0.0.1",
                name.Replace("*", "dti", StringComparison.Ordinal),
                StringComparison.Ordinal
            );
        Assert.Contains($"{known} is ready", Text(result, "server"), StringComparison.Ordinal);
        Assert.Equal((ExitCode.Ok, $"The server at {known} is ready."), (ready.ExitCode, ready.Output.Trim()));
    }

    [Fact]
    public async Task DoctorReady_ServerThatIsNotTrustedOrDoesNotTrust_IsUnreachableInASentence()
    {
        var folder = server.NewFolder();
        using var authority = Certificates.Authority();
        using var own = Certificates.For(IPAddress.Loopback, authority);
        var (certificate, key) = Certificates.Write(folder, "server", own);
        var (ca, _) = Certificates.Write(folder, "ca", authority);
        using var guarded = DtiProcess.Start(
            folder,
            "serve",
            "--port",
            "0",
            "--json",
            "--tls-cert",
            certificate,
            "--tls-key",
            key,
            "--client-ca",
            ca
        );
        var address = (await guarded.ReadEventAsync()).GetProperty("address").GetString()!;
        var plain = address.Replace("https:", "http:", StringComparison.Ordinal);

        var results = new List<(string Address, string Says, DtiResult Result)>();
        foreach (
            var (asked, trusted, says) in new[]
            {
                (plain, "", "speaks TLS"),
                (address, "", "certificate is not trusted"),
                (address, ca, "wants a certificate of this client"),
            }
        )
        {
            for (var i = 0; i < 2; i++) // how the connection ends is chance
                results.Add(
                    (
                        asked,
                        says,
                        await DtiProcess.EndAsync(
                            DtiProcess.Start(
                                folder,
                                new Dictionary<string, string> { ["DTI_CA"] = trusted },
                                "doctor",
                                "--ready",
                                "--server",
                                asked
                            )
                        )
                    )
                );
        }

        await guarded.KillAsync();
        Assert.All(results, told =>
        {
            Assert.Equal(ExitCode.Unreachable, told.Result.ExitCode);
            Assert.StartsWith(
                $"error: The server at {told.Address} is not ready: ",
                told.Result.Error,
                StringComparison.Ordinal
            );
            Assert.Contains(told.Says, told.Result.Error, StringComparison.Ordinal);
            Assert.DoesNotContain("Exception", told.Result.Error, StringComparison.Ordinal);
        });
    }

    [Fact]
    public async Task DoctorReady_ServerThatIsAndServerThatIsNot_AnswersByExitCode()
    {
        Assert.Equal(ExitCode.Ok, (await server.RunAsync(server.NewFolder(), "doctor", "--ready")).ExitCode);
        Assert.Equal(
            ExitCode.Unreachable,
            (
                await DtiProcess.RunAsync(server.NewFolder(), "doctor", "--ready", "--server", "http://127.0.0.1:1")
            ).ExitCode
        );
    }

    private static JsonElement Find(DtiResult result, string name) =>
        result.EventsOf("finding").First(finding => finding.GetProperty("name").GetString() == name);

    private static string Text(DtiResult result, string name) => Find(result, name).GetProperty("text").GetString()!;
}
