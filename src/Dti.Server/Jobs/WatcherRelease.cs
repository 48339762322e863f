using Microsoft.Extensions.Hosting;

namespace Dti.Server.Jobs;

/// <summary>
/// Ends the streams of watchers when a host without a device stops. With one, <see cref="DeviceWorker"/> does it.
/// </summary>
internal sealed class WatcherRelease(JobFeeds feeds) : IHostedLifecycleService
{
    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        feeds.Stop();
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => StoppingAsync(cancellationToken);

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
