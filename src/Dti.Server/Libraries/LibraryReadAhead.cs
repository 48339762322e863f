using Dti.Server.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Libraries;

/// <summary>
/// Reads the library's descriptions once the server is ready, so that the first listing of a large library need not
/// wait for that.
/// </summary>
internal sealed class LibraryReadAhead(ConceptLibrary library, ILogger<LibraryReadAhead> logger)
    : IHostedLifecycleService,
        IDisposable
{
    private readonly CancellationTokenSource _stopping = new();
    private Task _reading = Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _reading = Task.Factory.StartNew(
            Read,
            CancellationToken.None,
            TaskCreationOptions.LongRunning,
            TaskScheduler.Default
        );
        return Task.CompletedTask;
    }

    public Task StoppingAsync(CancellationToken cancellationToken)
    {
        _stopping.Cancel();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken) => _reading.WaitAsync(cancellationToken);

    /// <summary>Also a host that is disposed without having been stopped leaves nobody reading.</summary>
    public void Dispose()
    {
        _stopping.Cancel();
        _reading.Wait();
        _stopping.Dispose();
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private void Read()
    {
        try
        {
            library.ReadAhead(_stopping.Token);
        }
        catch (OperationCanceledException)
        {
            // The server stops.
        }
        catch (Exception error)
        {
            logger.LibraryNotReadAhead(error.Message); // the first who lists it reads it
        }
    }
}
