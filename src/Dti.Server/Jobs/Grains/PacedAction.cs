namespace Dti.Server.Jobs.Grains;

/// <summary>
/// Does something after each change, once per period at most: changes that follow closely are answered together, at the
/// end of the period.
/// </summary>
/// <param name="grain">Whose turns it takes.</param>
/// <param name="action">What is done.</param>
/// <param name="period">The period.</param>
/// <param name="time">A monotonic clock.</param>
internal sealed class PacedAction(IGrainBase grain, Func<Task> action, TimeSpan period, TimeProvider time)
{
    private long? _last;
    private IGrainTimer? _timer;

    /// <summary>Something has changed.</summary>
    public Task NotifyAsync()
    {
        if (_timer is not null)
        {
            return Task.CompletedTask;
        }

        var elapsed = _last is { } last ? time.GetElapsedTime(last) : period;
        if (elapsed >= period)
        {
            _last = time.GetTimestamp();
            return action();
        }

        _timer = grain.RegisterGrainTimer(
            _ =>
            {
                _timer?.Dispose();
                _timer = null;
                _last = time.GetTimestamp();
                return action();
            },
            new GrainTimerCreationOptions { DueTime = period - elapsed, Period = Timeout.InfiniteTimeSpan }
        );
        return Task.CompletedTask;
    }
}
