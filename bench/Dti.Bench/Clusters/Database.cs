using System.Net.Sockets;

namespace Dti.Bench.Clusters;

/// <summary>PostgreSQL or Redis on a separate host, with its default durability settings.</summary>
internal sealed class Database : IAsyncDisposable
{
    private const string Postgres = "/usr/lib/postgresql";
    private static readonly string[] _asUser = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"];
    private readonly Host _host;
    private readonly string _stop;

    /// <summary>Starts it.</summary>
    /// <param name="kind">postgres or redis.</param>
    /// <param name="host">Its host.</param>
    /// <param name="address">The address of that host.</param>
    /// <param name="folder">Where its data and its log go.</param>
    public Database(string kind, string host, string address, string folder)
    {
        (Kind, Address) = (kind, address);
        var data = Path.Combine(folder, "database");
        string[] command;
        if (kind == "postgres")
        {
            var programs = Path.Combine(Directory.GetDirectories(Postgres).Order().Last(), "bin");
            Directory.CreateDirectory(data);
            ChildProcess.Output("chown", "nobody:nogroup", data);
            ChildProcess.Output(
                "env",
                ["LC_ALL=C", .. _asUser, $"{programs}/initdb", "-D", data, "-U", "dti", "-A", "trust", "-E", "UTF8"]
            );
            File.AppendAllText(Path.Combine(data, "pg_hba.conf"), "host all all 10.77.0.0/24 trust\n");
            (Port, _stop) = (5432, "QUIT"); // at once, without waiting for those who are connected
            Connection = $"Host={address};Username=dti;Database=postgres;Maximum Pool Size=10;Timeout=5";
            command =
            [
                "env",
                "LC_ALL=C",
                .. _asUser,
                $"{programs}/postgres",
                "-D",
                data,
                "-k",
                "",
                "-c",
                $"listen_addresses={address}",
            ];
        }
        else
        {
            Directory.CreateDirectory(data);
            (Port, _stop) = (6379, "KILL");
            Connection = $"{address}:{Port}";
            command =
            [
                "redis-server",
                "--bind",
                address,
                "--protected-mode",
                "no",
                "--dir",
                data,
                "--appendonly",
                "yes",
                "--save",
                "",
            ];
        }

        _host = new Host(host, Network.On(host, command), new Dictionary<string, string>(), folder);
        _host.Start();
    }

    /// <summary>postgres or redis.</summary>
    public string Kind { get; }

    /// <summary>Its address.</summary>
    public string Address { get; }

    /// <summary>The connection string.</summary>
    public string Connection { get; }

    private int Port { get; }

    /// <summary>Stops it at once; it is back two seconds later.</summary>
    public void Restart() => _host.Signal(_stop);

    /// <summary>Waits until it accepts connections.</summary>
    public async Task ReadyAsync()
    {
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync(Address, Port).ConfigureAwait(false);
                return;
            }
            catch (SocketException)
            {
                await Task.Delay(100).ConfigureAwait(false);
            }
        }
    }

    public ValueTask DisposeAsync() => _host.DisposeAsync();
}
