using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>A private PostgreSQL or Redis.</summary>
internal sealed class DatabaseServer : LocalService
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(30);

    private DatabaseServer(DirectoryInfo folder, int port, string connection, string signal, string[] command)
        : base("the database", folder, port, signal, command, _patience) => Connection = connection;

    /// <summary>How a host of a cluster finds it.</summary>
    public string Connection { get; }

    // As root, PostgreSQL does not run.
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
        var redis = Find("redis-server");
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

    // PostgreSQL accepts connections before it answers queries, and then says so.
    protected override async Task<bool> AnswersAsync()
    {
        if (!Connection.Contains('=', StringComparison.Ordinal))
        {
            return await base.AnswersAsync();
        }

        try
        {
            await using var database = new Npgsql.NpgsqlConnection(Connection + ";Timeout=5");
            await database.OpenAsync(TestContext.Current.CancellationToken);
            return true;
        }
        catch (Exception error) when (error is SocketException or Npgsql.NpgsqlException)
        {
            return false;
        }
    }

    private static string? FindPostgres(string program) =>
        Directory.Exists("/usr/lib/postgresql")
            ? Find(
                program,
                Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin"))
            )
            : Find(program);

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
}
