namespace Dti.Server.Jobs.Grains;

/// <summary>
/// Runs an action after each change, once per period at most. Changes that follow within a period are answered
/// together, at its end.
/// </summary>
/// <param name="action">The action.</param>
/// <param name="period">The period.</param>
/// <param name="runAfter">Runs a callback once after a delay, on a turn of the grain.</param>
/// <param name="time">A monotonic clock.</param>
internal sealed class PacedAction(
    Func<Task> action,
    TimeSpan period,
    Action<Func<Task>, TimeSpan> runAfter,
    TimeProvider time
)
{
    private long? _last;
    private bool _isScheduled;

    /// <summary>Notes a change.</summary>
    public Task NotifyAsync()
    {
        if (_isScheduled)
        {
            return Task.CompletedTask;
        }

        var elapsed = _last is { } last ? time.GetElapsedTime(last) : period;
        if (elapsed >= period)
        {
            return RunAsync();
        }

        _isScheduled = true;
        runAfter(RunAsync, period - elapsed);
        return Task.CompletedTask;
    }

    private Task RunAsync()
    {
        _isScheduled = false;
        _last = time.GetTimestamp();
        return action();
    }
}
