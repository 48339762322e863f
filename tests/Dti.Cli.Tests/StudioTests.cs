using System.Net;
using System.Net.Sockets;

namespace Dti.Cli.Tests;

/// <summary><c>dti studio</c>, and the page of <c>dti serve</c>.</summary>
public class StudioTests(ServeFixture server)
{
    [Fact]
    public async Task Serve_WithoutWebPort_ServesThePageOnTheNextPort()
    {
        var port = FreePort();
        using var serve = DtiProcess.Start(server.NewFolder(), "serve", "--port", $"{port}", "--json");
        var listening = await serve.ReadEventAsync();

        Assert.Equal($"http://127.0.0.1:{port + 1}", listening.GetProperty("studio_address").GetString());
        using var http = new HttpClient();
        Assert.Contains(
            "Dti Studio",
            await http.GetStringAsync(listening.GetProperty("studio_address").GetString()),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Serve_NextPortIsTaken_ServesThePageOnAFreeOne()
    {
        var port = FreePort();
        using var taken = new TcpListener(IPAddress.Loopback, port + 1);
        taken.Start();
        using var serve = DtiProcess.Start(server.NewFolder(), "serve", "--port", $"{port}", "--json");
        var page = new Uri((await serve.ReadEventAsync()).GetProperty("studio_address").GetString()!);

        Assert.NotEqual(port + 1, page.Port);
        using var http = new HttpClient();
        Assert.Contains("Dti Studio", await http.GetStringAsync(page), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_StudioFalse_OpensNoPortForBrowsers()
    {
        using var serve = DtiProcess.Start(server.NewFolder(), "serve", "--port", "0", "--studio", "false", "--json");
        var listening = await serve.ReadEventAsync();

        Assert.False(listening.TryGetProperty("studio_address", out var page) && page.GetString() is not null);
        Assert.False(listening.TryGetProperty("web_address", out var web) && web.GetString() is not null);
    }

    [Fact]
    public async Task Studio_ServerThatRuns_OpensItsPage()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the browser is a script here");
        var folder = server.NewFolder();
        using var studio = DtiProcess.Start(
            folder,
            WithBrowser(folder),
            "studio",
            "--server",
            server.Address,
            "--json"
        );
        var page = (await studio.ReadEventAsync()).GetProperty("address").GetString();

        Assert.Equal(ExitCode.Ok, (await studio.EndAsync()).ExitCode);
        Assert.Equal(page, await OpenedAsync(folder));
        using var http = new HttpClient();
        Assert.Contains("Dti Studio", await http.GetStringAsync(page), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Studio_NoServerThatRuns_StartsOneAndOpensItsPage()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "the browser is a script here");
        var folder = server.NewFolder();
        var environment = WithBrowser(folder);
        environment["DTI_PORT"] = "0";
        using var studio = DtiProcess.Start(folder, environment, "studio", "--json");
        var page = (await studio.ReadEventAsync()).GetProperty("studio_address").GetString();

        Assert.Equal(page, await OpenedAsync(folder));
        DtiProcess.Interrupt(studio);
        Assert.Equal(ExitCode.Ok, (await studio.EndAsync()).ExitCode);
    }

    [Fact]
    public async Task Studio_WithoutABrowser_SaysWhereThePageIs()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has always one");
        var folder = server.NewFolder();
        var nothing = new Dictionary<string, string> { ["PATH"] = folder };
        using var studio = DtiProcess.Start(folder, nothing, "studio", "--server", server.Address, "--json");

        var ended = await studio.EndAsync();

        Assert.Equal(ExitCode.Ok, ended.ExitCode);
        Assert.Equal("NO_BROWSER", ended.Event("warning").GetProperty("code").GetString());
    }

    /// <summary>An xdg-open that writes down what it is asked to open.</summary>
    private static Dictionary<string, string> WithBrowser(string folder)
    {
        var bin = Directory.CreateDirectory(Path.Combine(folder, "bin")).FullName;
        foreach (var name in new[] { "xdg-open", "open" })
        {
            var script = Path.Combine(bin, name);
            File.WriteAllText(
                script,
                $"#!/bin/sh\necho \"$1\" >'{folder}/opened.new'\nmv '{folder}/opened.new' '{folder}/opened'\n"
            );
            if (!OperatingSystem.IsWindows())
            {
                File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            }
        }

        return new() { ["PATH"] = $"{bin}:{Environment.GetEnvironmentVariable("PATH")}" };
    }

    private static async Task<string> OpenedAsync(string folder)
    {
        var file = Path.Combine(folder, "opened");
        while (!File.Exists(file))
            await Task.Delay(20, TestContext.Current.CancellationToken);
        return (await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken)).Trim();
    }

    /// <summary>A port that is free, and the next one too.</summary>
    private static int FreePort()
    {
        while (true)
        {
            using var first = new TcpListener(IPAddress.Loopback, 0);
            first.Start();
            var port = ((IPEndPoint)first.LocalEndpoint).Port;
            try
            {
                using var second = new TcpListener(IPAddress.Loopback, port + 1);
                second.Start();
                return port;
            }
            catch (SocketException)
            {
                // another pair
            }
        }
    }
}
