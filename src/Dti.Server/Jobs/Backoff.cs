namespace Dti.Server.Jobs;

/// <summary>
/// Waits between tries of what keeps failing, longer each time, up to a bound. What is wrong is said once, and again
/// only when it is something else; that it is over is said too. Not thread-safe.
/// </summary>
/// <param name="time">Tells the time.</param>
/// <param name="wrong">Says what is wrong.</param>
/// <param name="over">Says that nothing is any more.</param>
internal sealed class Backoff(TimeProvider time, Action<string> wrong, Action over)
{
    private static readonly TimeSpan _first = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan _longest = TimeSpan.FromSeconds(16);
    private TimeSpan _pause = _first;
    private string? _said;

    /// <summary>A try failed: returns when the next one is due, or at once when the token is cancelled.</summary>
    public async Task FailedAsync(string reason, CancellationToken cancellationToken)
    {
        if (reason != _said)
        {
            _said = reason;
            wrong(reason);
        }

        var pause = _pause;
        _pause = pause * 2 > _longest ? _longest : pause * 2;
        await Task.Delay(pause, time, cancellationToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>A try succeeded.</summary>
    public void Succeeded()
    {
        _pause = _first;
        if (_said is not null)
        {
            _said = null;
            over();
        }
    }
}
