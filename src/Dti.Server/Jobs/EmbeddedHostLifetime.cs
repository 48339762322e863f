using Microsoft.Extensions.Hosting;

namespace Dti.Server.Jobs;

/// <summary>
/// The lifetime of a host inside another program, which hears of signals itself, and starts and stops it.
/// </summary>
public sealed class EmbeddedHostLifetime : IHostLifetime
{
    /// <inheritdoc/>
    public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <inheritdoc/>
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
