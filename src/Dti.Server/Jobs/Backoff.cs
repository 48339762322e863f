namespace Dti.Server.Jobs;

/// <summary>
/// Exponential backoff between attempts at an operation that fails, up to a bound. A reason is reported once, and again
/// when it changes; the recovery is reported too. Not thread-safe.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="wrong">Reports a failure.</param>
/// <param name="over">Reports the recovery.</param>
internal sealed class Backoff(TimeProvider time, Action<string> wrong, Action over)
{
    private static readonly TimeSpan _first = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(16);
    private TimeSpan _pause = _first;
    private string? _reported;

    /// <summary>Repeats an operation until the token is cancelled.</summary>
    /// <param name="operation">What is repeated.</param>
    /// <param name="every">The time between two operations that succeed.</param>
    /// <param name="cancellationToken">Ends it without an exception.</param>
    public async Task RepeatAsync(Func<Task> operation, TimeSpan every, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await operation();
                Succeeded();
                await Task.Delay(every, time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error)
            {
                await FailedAsync(error.Message, cancellationToken);
            }
        }
    }

    /// <summary>Records a failure, and returns when the next attempt is due or the token is cancelled.</summary>
    public async Task FailedAsync(string reason, CancellationToken cancellationToken)
    {
        if (reason != _reported)
        {
            _reported = reason;
            wrong(reason);
        }

        var pause = _pause;
        _pause = pause * 2 > _longest ? _longest : pause * 2;
        await Task.Delay(pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>Records a success.</summary>
    public void Succeeded()
    {
        _pause = _first;
        if (_reported is not null)
        {
            _reported = null;
            over();
        }
    }
}
