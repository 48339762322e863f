using Dti.Server.Configuration;
using Dti.Server.Tests.Infrastructure;

namespace Dti.Server.Tests.Clusters;

/// <summary>Two gateways and a worker.</summary>
/// <param name="kind">postgres or redis.</param>
public abstract class ClusterFixture(string kind) : MachineFixture
{
    private Cluster? _cluster;
    private TestServer? _first;
    private TestServer? _second;
    private TestServer? _worker;

    internal Cluster Cluster => Started(_cluster);

    internal TestServer First => Started(_first);

    internal TestServer Second => Started(_second);

    internal TestServer Worker => Started(_worker);

    protected override async Task StartAsync()
    {
        _cluster = await Cluster.StartAsync(kind);
        _first = _cluster.Start("gateway", "gateway-1", Of);
        _second = _cluster.Start("gateway", "gateway-2", Of);
        _worker = _cluster.Start("worker", "worker-1", Of);
    }

    protected override Task StopAsync() => _cluster?.DisposeAsync().AsTask() ?? Task.CompletedTask;

    /// <summary>Stops the worker as a SIGTERM does, and starts another one.</summary>
    /// <param name="between">Done while there is none.</param>
    internal async Task ReplaceWorkerAsync(Func<Task> between)
    {
        await Cluster.StopAsync(Worker);
        try
        {
            await between();
        }
        finally
        {
            _worker = Cluster.Start("worker", "worker-2", Of); // also for the tests after one that fails
        }
    }

    /// <summary>The settings of each host.</summary>
    private protected virtual ClusterOptions Of(ClusterOptions cluster) => cluster;
}

/// <summary>With PostgreSQL.</summary>
public sealed class PostgresClusterFixture() : ClusterFixture("postgres");

/// <summary>With Redis.</summary>
public sealed class RedisClusterFixture() : ClusterFixture("redis");
