namespace Dti.Server.Services;

/// <summary>
/// What calls compute for a while that is no job, one at a time. Many at once would have a vocabulary or a training's photos each in memory, and keep the threads
/// that answer all other calls: the server would not even see its clients' answers to pings.
/// </summary>
internal sealed class HeavyCalls : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);

    /// <summary>Computes when it is the caller's turn.</summary>
    /// <param name="compute">Runs on another thread.</param>
    /// <param name="cancellationToken">Of the call: a cancelled call gives up its place.</param>
    /// <exception cref="OperationCanceledException">The call was cancelled before its turn.</exception>
    public async Task<T> RunAsync<T>(Func<Task<T>> compute, CancellationToken cancellationToken)
    {
        await _turn.WaitAsync(cancellationToken);
        try
        {
            return await Task.Run(compute, cancellationToken);
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _turn.Dispose();
}
