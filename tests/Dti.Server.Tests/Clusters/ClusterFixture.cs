using Dti.Server.Tests.Infrastructure;

namespace Dti.Server.Tests.Clusters;

/// <summary>Two gateways and a worker.</summary>
/// <param name="kind">postgres or redis.</param>
public abstract class ClusterFixture(string kind) : IAsyncLifetime
{
    private protected Cluster? Started { get; private set; }

    internal Cluster Cluster => Started!;

    internal TestServer First { get; private set; } = null!;

    internal TestServer Second { get; private set; } = null!;

    internal TestServer Worker { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Started = await Cluster.StartAsync(kind);
        First = Started.Start("gateway", "gateway-1");
        Second = Started.Start("gateway", "gateway-2");
        Worker = Started.Start("worker", "worker-1");
    }

    /// <summary>Stops the worker as a SIGTERM does, and starts another one.</summary>
    /// <param name="between">Done while there is none.</param>
    internal async Task ReplaceWorkerAsync(Func<Task> between)
    {
        await Cluster.StopAsync(Worker);
        await between();
        Worker = Cluster.Start("worker", "worker-2");
    }

    public async ValueTask DisposeAsync()
    {
        if (Started is not null)
        {
            await Started.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }
}

/// <summary>With PostgreSQL.</summary>
public sealed class PostgresClusterFixture() : ClusterFixture("postgres");

/// <summary>With Redis.</summary>
public sealed class RedisClusterFixture() : ClusterFixture("redis");
