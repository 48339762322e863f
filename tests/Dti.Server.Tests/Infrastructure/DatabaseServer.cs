using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>
/// A private PostgreSQL or Redis on a free port, with a folder of its own. It ends with the test, and with the process
/// of the tests however that ends, since it watches its input.
/// </summary>
internal sealed class DatabaseServer : IAsyncDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    // Stops the database when the input ends. As root, PostgreSQL does not run.
    private const string Watch = "\"$@\" <&- & child=$!; read -r line; kill -\"$STOP\" $child; wait $child";
    private readonly DirectoryInfo _folder;
    private readonly string _signal;
    private readonly string[] _command;
    private Process? _process;

    private DatabaseServer(DirectoryInfo folder, int port, string connection, string signal, string[] command)
    {
        (_folder, Port, Connection, _signal, _command) = (folder, port, connection, signal, command);
    }

    /// <summary>How a host of a cluster finds it.</summary>
    public string Connection { get; }

    private int Port { get; }

    private static string[] AsUser =>
        Environment.IsPrivilegedProcess ? ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"] : [];

    /// <summary>Starts PostgreSQL; skips the test where it is not installed.</summary>
    public static async Task<DatabaseServer> PostgresAsync()
    {
        var (initdb, postgres) = (FindPostgres("initdb"), FindPostgres("postgres"));
        Assert.SkipWhen(
            initdb is null || postgres is null,
            "needs PostgreSQL, install with apt-get install postgresql"
        );
        var (folder, port) = (Directory.CreateTempSubdirectory("dti-postgres-"), FreePort());
        if (Environment.IsPrivilegedProcess)
        {
            Run("chown", ["nobody:nogroup", folder.FullName]);
        }

        var data = Path.Combine(folder.FullName, "data");
        Run(
            "env",
            ["LC_ALL=C", .. AsUser, initdb!, "-D", data, "-U", "dti", "-A", "trust", "-E", "UTF8", "--no-sync", "-N"]
        );
        var number = port.ToString(CultureInfo.InvariantCulture);
        var server = new DatabaseServer(
            folder,
            port,
            $"Host=127.0.0.1;Port={number};Username=dti;Database=postgres;Pooling=true;Maximum Pool Size=10",
            "QUIT",
            [
                "env",
                "LC_ALL=C",
                .. AsUser,
                postgres!,
                "-D",
                data,
                "-p",
                number,
                "-k",
                "",
                "-c",
                "listen_addresses=127.0.0.1",
                "-c",
                "fsync=off",
                "-c",
                "shared_buffers=16MB",
            ]
        );
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts Redis; skips the test where it is not installed.</summary>
    public static async Task<DatabaseServer> RedisAsync()
    {
        var redis = Find("redis-server", Paths);
        Assert.SkipWhen(redis is null, "needs Redis, install with apt-get install redis-server");
        var (folder, port) = (Directory.CreateTempSubdirectory("dti-redis-"), FreePort());
        var number = port.ToString(CultureInfo.InvariantCulture);
        var server = new DatabaseServer(
            folder,
            port,
            $"127.0.0.1:{number}",
            "TERM",
            [
                redis!,
                "--port",
                number,
                "--bind",
                "127.0.0.1",
                "--dir",
                folder.FullName,
                "--appendonly",
                "yes",
                "--save",
                "",
            ]
        );
        await server.StartAsync();
        return server;
    }

    /// <summary>Starts it again with its data, after <see cref="StopAsync"/>.</summary>
    public async Task StartAsync()
    {
        _process = StartWatched(_signal, _command);
        var began = Stopwatch.GetTimestamp();
        while (!await AnswersAsync())
        {
            Assert.False(_process.HasExited, "the database ended");
            Assert.True(Stopwatch.GetElapsedTime(began) < _patience, "the database does not answer");
            await Task.Delay(50, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Starts a program that ends when its input does, and so with this process.</summary>
    internal static Process StartWatched(string signal, string[] command)
    {
        var start = new ProcessStartInfo("/bin/sh")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["STOP"] = signal },
        };
        foreach (var argument in (string[])["-c", Watch, "database", .. command])
        {
            start.ArgumentList.Add(argument);
        }

        var process = Process.Start(start)!;
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, _) => { };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return process;
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
        _folder.Delete(recursive: true);
    }

    // PostgreSQL accepts connections before it answers queries, and then says so.
    private async Task<bool> AnswersAsync()
    {
        try
        {
            if (Connection.Contains('=', StringComparison.Ordinal))
            {
                await using var database = new Npgsql.NpgsqlConnection(Connection + ";Timeout=5");
                await database.OpenAsync(TestContext.Current.CancellationToken);
            }
            else
            {
                using var client = new TcpClient();
                await client.ConnectAsync(IPAddress.Loopback, Port, TestContext.Current.CancellationToken);
            }

            return true;
        }
        catch (Exception error) when (error is SocketException or Npgsql.NpgsqlException)
        {
            return false;
        }
    }

    internal static IEnumerable<string> Paths =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(
            Path.PathSeparator,
            StringSplitOptions.RemoveEmptyEntries
        );

    private static string? FindPostgres(string program) =>
        Find(
            program,
            Directory.Exists("/usr/lib/postgresql")
                ? [.. Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin"))]
                : Paths
        );

    internal static string? Find(string program, IEnumerable<string> folders) =>
        folders.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists);

    private static void Run(string program, string[] arguments)
    {
        using var process = Process.Start(
            new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true }
        )!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} failed: {errors}{output.Result}");
    }

    internal static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }
}
