using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>
/// A program that listens on a free port of this machine, and stores its data in a temporary folder. It ends with the
/// test, and with the process of the tests however that ends, since it watches its input.
/// </summary>
/// <param name="name">What it is, for messages.</param>
/// <param name="folder">The folder, which is deleted with it.</param>
/// <param name="port">The port.</param>
/// <param name="signal">The signal that stops it at once.</param>
/// <param name="command">Starts it.</param>
/// <param name="patience">How long it may take to answer.</param>
internal abstract class LocalService(
    string name,
    DirectoryInfo folder,
    int port,
    string signal,
    string[] command,
    TimeSpan patience
) : IAsyncDisposable
{
    // Stops the program when the input ends.
    private const string Watch = "\"$@\" <&- & child=$!; read -r line; kill -\"$STOP\" $child; wait $child";
    private Process? _process;

    /// <summary>Where its data is.</summary>
    protected DirectoryInfo Folder => folder;

    /// <summary>Starts it again with its data, after <see cref="StopAsync"/>.</summary>
    public async Task StartAsync()
    {
        var start = new ProcessStartInfo("/bin/sh", ["-c", Watch, name, .. command])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["STOP"] = signal },
        };
        _process = Process.Start(start)!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        var began = Stopwatch.GetTimestamp();
        while (!await AnswersAsync())
        {
            Assert.False(_process.HasExited, $"{name} ended");
            Assert.True(Stopwatch.GetElapsedTime(began) < patience, $"{name} does not answer");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Stops it at once, with the connections that it has.</summary>
    public async Task StopAsync()
    {
        if (_process is { } process)
        {
            _process = null;
            process.StandardInput.Close();
            await process.WaitForExitAsync(CancellationToken.None);
            process.Dispose();
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        folder.Delete(recursive: true);
    }

    /// <summary>Any port that is free now.</summary>
    internal static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    /// <summary>The path of a program on <c>PATH</c>; null: there is none.</summary>
    protected static string? Find(string program) =>
        Find(
            program,
            (Environment.GetEnvironmentVariable("PATH") ?? "").Split(
                Path.PathSeparator,
                StringSplitOptions.RemoveEmptyEntries
            )
        );

    /// <summary>The path of a program in one of some folders; null: there is none.</summary>
    protected static string? Find(string program, IEnumerable<string> folders) =>
        folders.Select(one => Path.Combine(one, program)).FirstOrDefault(File.Exists);

    /// <summary>Whether it accepts connections.</summary>
    protected virtual async Task<bool> AnswersAsync()
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
