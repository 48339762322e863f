using Dti.Server.Configuration;
using Dti.Server.Diagnosis;
using Dti.Server.Tests.Infrastructure;

namespace Dti.Server.Tests.Clusters;

/// <summary>Hosts of a cluster in this process, with a folder that they share and a database of their own.</summary>
internal sealed class Cluster(DatabaseServer database) : IAsyncDisposable
{
    // A test stops the database. Whether Orleans has to read from it in that time is chance.
    private const string Outage = "The cluster's database does not answer";

    // So ends a grain's start that waits for the database.
    private const string Cancelled = "System.Threading.Tasks.TaskCanceledException: A task was canceled.";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-cluster-");
    private readonly List<TestServer> _hosts = [];

    public DatabaseServer Database { get; } = database;

    /// <summary>Starts a cluster without hosts.</summary>
    /// <param name="kind">postgres or redis.</param>
    public static async Task<Cluster> StartAsync(string kind)
    {
        var cluster = new Cluster(
            kind == "postgres" ? await DatabaseServer.PostgresAsync() : await DatabaseServer.RedisAsync()
        );
        await ClusterSetup.InitializeAsync(
            cluster.Options("none", "all", new DtiServerOptions { ConceptFolder = "" }),
            TestContext.Current.CancellationToken
        );
        return cluster;
    }

    /// <summary>The folder that the hosts share.</summary>
    public string Folder => _folder.FullName;

    /// <summary>Starts a host.</summary>
    /// <param name="role">Its role.</param>
    /// <param name="name">Its name.</param>
    /// <param name="change">Other settings of the cluster.</param>
    /// <param name="settings">Other settings of the host.</param>
    public TestServer Start(
        string role,
        string name,
        Func<ClusterOptions, ClusterOptions>? change = null,
        Func<DtiServerOptions, DtiServerOptions>? settings = null
    )
    {
        var host = TestServer.Start(options =>
        {
            var own = Options(name, role, settings?.Invoke(options) ?? options);
            own = own with { Cluster = change?.Invoke(own.Cluster) ?? own.Cluster };
            return own.Cluster.HasStorage
                ? own with
                {
                    ConceptFolder = Path.Combine(_folder.FullName, name, "concepts"),
                    JobFolder = Path.Combine(_folder.FullName, name, "jobs"),
                }
                : own;
        });
        _hosts.Add(host);
        return host;
    }

    /// <summary>Stops a host as a SIGTERM does.</summary>
    public async Task StopAsync(TestServer host)
    {
        _hosts.Remove(host);
        host.ForgiveErrors(Outage);
        host.ForgiveErrors(Cancelled);
        await host.DisposeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in Enumerable.Reverse(_hosts).ToList())
        {
            await StopAsync(host);
        }

        await Database.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    private DtiServerOptions Options(string name, string role, DtiServerOptions options) =>
        options with
        {
            ConceptFolder = Path.Combine(_folder.FullName, "concepts"),
            JobFolder = Path.Combine(_folder.FullName, "jobs"),
            MetricsPort = 0,
            Cluster = new ClusterOptions
            {
                Connection = Database.Connection,
                Role = role,
                Host = name,
                Port = 0,
            },
        };
}
