using Dti.Server.Configuration;
using Grpc.Health.V1;
using Grpc.HealthCheck;
using Microsoft.Extensions.Hosting;

namespace Dti.Server.Hosting;

/// <summary>
/// The first thing that happens when the server is asked to stop: it says that it is not serving, and continues to
/// answer for <see cref="DtiServerOptions.DrainTime"/>. Jobs are stopped after that, and the port is closed last.
/// Hosted after all others, so that it stops before them.
/// </summary>
internal sealed class Draining(DtiServerOptions options, TimeProvider time, HealthServiceImpl health)
    : IHostedLifecycleService
{
    /// <summary>Whether the server has been asked to stop.</summary>
    public bool Begun { get; private set; }

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        Begun = true;
        health.SetStatus("", HealthCheckResponse.Types.ServingStatus.NotServing); // now, for those who watch
        await Task.Delay(options.DrainTime, time, cancellationToken);
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
