using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Libraries;

/// <summary>Reads the library's descriptions once the server is ready, so that whoever lists a large one first need not wait for that.</summary>
internal sealed class LibraryReadAhead(ConceptLibrary library, IHostApplicationLifetime lifetime, ILogger<LibraryReadAhead> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var started = lifetime.ApplicationStarted.Register(ready.SetResult);
        try
        {
            await ready.Task.WaitAsync(stoppingToken);
            await Task.Factory.StartNew(() => library.ReadAhead(stoppingToken), stoppingToken, TaskCreationOptions.LongRunning, TaskScheduler.Default);
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
