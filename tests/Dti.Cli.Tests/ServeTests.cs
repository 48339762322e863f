using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Dti.Tests;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Logging;

namespace Dti.Cli.Tests;

public class ServeTests(ServeFixture server)
{
    [Fact]
    public async Task Serve_FileEnvironmentAndFlag_TheLastWordIsTheLast()
    {
        var folder = server.NewFolder();
        await File.WriteAllTextAsync(
            Path.Combine(folder, "my.json"),
            """{"Dti": {"Port": 70000, "WebPort": 70000, "MetricsPort": 0, "JobHistory": 0}}"""
        );
        var result = await DtiProcess.EndAsync(
            DtiProcess.Start(
                folder,
                new Dictionary<string, string> { ["DTI_WEB_PORT"] = "70001" },
                "serve",
                "--config",
                "my.json",
                "--port",
                "70002",
                "--json"
            )
        );

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        var message = result.Event("error").GetProperty("message").GetString()!;
        Assert.Contains(
            $"Port is 70002; it must be from 0 to 65535. WebPort is 70001; it must be from 0 to 65535. {Path.Combine(folder, "my.json")}: JobHistory is 0;",
            message,
            StringComparison.Ordinal
        );
        Assert.DoesNotContain("70000", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_WhatNothingReads_IsUsageAndNamesAllOfIt()
    {
        var folder = server.NewFolder();
        await File.WriteAllTextAsync(
            Path.Combine(folder, "my.json"),
            """{"Port": 6180, "Logging": {"LogLevel": {"Dti": "Informational"}}}"""
        );
        var environment = new Dictionary<string, string>
        {
            ["DTI_PROT"] = "6",
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "nonsense",
        };
        var result = await DtiProcess.EndAsync(
            DtiProcess.Start(folder, environment, "serve", "--config", "my.json", "--port", "0")
        );

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.All(
            [
                "Port belongs into the section Dti.",
                "Logging.LogLevel.Dti is 'Informational';",
                "DTI_PROT is no variable of Dti. Close: DTI_PORT.",
                "OTEL_EXPORTER_OTLP_ENDPOINT is 'nonsense';",
            ],
            says => Assert.Contains(says, result.Error, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData("nowhere.json", "There is no settings file")]
    [InlineData("broken.json", "is not JSON: it has an error in line 2 at character 10.")]
    [InlineData("twice.json", "has the setting 'Dti.Port' twice")]
    [InlineData("list.json", "must hold one JSON object")]
    [InlineData("folder.json", "cannot be read: it is a folder")]
    [InlineData("type.json", "type.json: Port is 'x'; it must be a whole number.")]
    [InlineData("range.json", "range.json: JobHistory is 0; it must be from 1 to 100000.")]
    public async Task Serve_FileThatCannotBeRead_SaysWhy(string file, string why)
    {
        var folder = server.NewFolder();
        Directory.CreateDirectory(Path.Combine(folder, "folder.json"));
        foreach (
            var (name, content) in new Dictionary<string, string>
            {
                ["broken.json"] = "{\n  \"Dti\": }",
                ["twice.json"] = """{"Dti": {"Port": 1, "Port": 2}}""",
                ["list.json"] = "[]",
                ["type.json"] = """{"Dti": {"Port": "x"}}""",
                ["range.json"] = """{"Dti": {"JobHistory": 0}}""",
            }
        )
        {
            await File.WriteAllTextAsync(Path.Combine(folder, name), content);
        }

        var result = await DtiProcess.RunAsync(folder, "serve", "--config", file);
        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains(file, result.Error, StringComparison.Ordinal);
        Assert.Contains(why, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_PortThatIsTaken_SaysThatAndNothingElse()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port;
        var result = await DtiProcess.RunAsync(server.NewFolder(), "serve", "--port", $"{port}");
        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Equal(
            $"error: Failed to bind to address http://127.0.0.1:{port}: address already in use.",
            result.Error.Trim()
        );
    }

    [Fact]
    public async Task Serve_UnderSystemd_SaysWhenItIsReadyAndWhenItStops()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "systemd is Linux's");
        var folder = server.NewFolder();
        using var manager = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        manager.Bind(new UnixDomainSocketEndPoint(Path.Combine(folder, "notify")));
        var parent = Path.Combine(folder, "systemd"); // a service knows its manager by the name of its parent
        File.Copy("/bin/sh", parent);
        using var serve = DtiProcess.StartBy(
            parent,
            folder,
            new Dictionary<string, string> { ["NOTIFY_SOCKET"] = Path.Combine(folder, "notify") },
            ["-c", "\"$@\" serve --port 0 & echo $!; wait $!", "sh", .. Signals.EndsWithParent, DtiProcess.Program]
        );
        try
        {
            var id = int.Parse(await serve.ReadLineAsync(), CultureInfo.InvariantCulture);
            Assert.Equal("READY=1", await HearAsync());
            Signals.Send(id, Signals.Terminate);
            Assert.Equal("STOPPING=1", await HearAsync());
            Assert.Equal(ExitCode.Ok, (await DtiProcess.EndAsync(serve)).ExitCode);
        }
        finally
        {
            await serve.KillAsync();
        }

        async Task<string> HearAsync()
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
            var message = new byte[256];
            return Encoding.ASCII.GetString(message, 0, await manager.ReceiveAsync(message, patience.Token));
        }
    }

    [Fact]
    public async Task Serve_CollectorInTheEnvironment_SendsTracesMetricsAndLogs()
    {
        var folder = server.NewFolder();
        var received = new ConcurrentDictionary<string, int>();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        await using var collector = builder.Build();
        collector.Urls.Add("http://127.0.0.1:0");
        collector.MapPost("/v1/{signal}", (string signal) =>
        {
            received.AddOrUpdate(signal, 1, (_, count) => count + 1);
        });
        await collector.StartAsync();
        var telling = new Dictionary<string, string>
        {
            ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Urls.Single(),
            ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
        };
        using var serve = DtiProcess.Start(folder, telling, "serve", "--port", "0", "--json");
        var address = (await serve.ReadEventAsync()).GetProperty("address").GetString()!;
        Assert.Equal(
            ExitCode.Ok,
            (
                await DtiProcess.RunAsync(
                    folder,
                    "generate",
                    "a cat",
                    "--width",
                    "64",
                    "--height",
                    "64",
                    "--steps",
                    "1",
                    "-o",
                    "cat.png",
                    "--server",
                    address
                )
            ).ExitCode
        );

        DtiProcess.Terminate(serve);
        Assert.Equal(ExitCode.Ok, (await DtiProcess.EndAsync(serve)).ExitCode);

        Assert.Equal(["logs", "metrics", "traces"], received.Keys.Order());
        await collector.StopAsync();
    }

    [Fact]
    public async Task ModelsList_ProxyInTheEnvironment_IsNotAskedForThisMachinesServer()
    {
        var proxied = new Dictionary<string, string>
        {
            ["http_proxy"] = "http://127.0.0.1:9",
            ["NO_PROXY"] = "",
            ["no_proxy"] = "",
        };
        using var list = DtiProcess.Start(server.NewFolder(), proxied, "models", "list", "--server", server.Address);

        Assert.Equal(ExitCode.Ok, (await DtiProcess.EndAsync(list)).ExitCode);
    }

    [Fact]
    public async Task Serve_JsonLog_CarriesTheJobInItsScopes()
    {
        var folder = server.NewFolder();
        using var serve = DtiProcess.Start(
            folder,
            "serve",
            "--port",
            "0",
            "--metrics-port",
            "0",
            "--log-format",
            "json",
            "--json"
        );
        var listening = (await serve.ReadEventAsync());
        var drawn = await DtiProcess.RunAsync(
            folder,
            "generate",
            "a cat",
            "--width",
            "64",
            "--height",
            "64",
            "--steps",
            "1",
            "-o",
            "cat.png",
            "--json",
            "--server",
            listening.GetProperty("address").GetString()!
        );
        Assert.Equal(ExitCode.Ok, drawn.ExitCode);
        using var http = new HttpClient();
        Assert.Contains(
            "dti_job_duration_seconds_count",
            await http.GetStringAsync(new Uri(listening.GetProperty("metrics_address").GetString() + "/metrics")),
            StringComparison.Ordinal
        );

        DtiProcess.Terminate(serve);
        var ended = await DtiProcess.EndAsync(serve);

        Assert.Equal(ExitCode.Ok, ended.ExitCode);
        var job = drawn.Event("accepted").GetProperty("job_id").GetString();
        var lines = ended
            .Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement)
            .ToList();
        var loaded = Assert.Single(lines, line => line.GetProperty("EventId").GetInt32() == 7);
        Assert.Contains(loaded.GetProperty("Scopes").EnumerateArray(), scope =>
            scope.TryGetProperty("JobId", out var id) && id.GetString() == job
        );
    }
}
