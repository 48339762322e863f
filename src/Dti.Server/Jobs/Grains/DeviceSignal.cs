namespace Dti.Server.Jobs.Grains;

/// <summary>Wakes the devices that found no job, when there may be one for them.</summary>
/// <param name="grain">The queue.</param>
/// <param name="time">A monotonic clock.</param>
internal sealed class DeviceSignal(IGrainBase grain, TimeProvider time)
{
    private TaskCompletionSource _changed = NewSignal();
    private IGrainTimer? _timer;
    private long _due; // of the timer

    /// <summary>Waits for the next signal, or until a time has passed.</summary>
    public Task WaitAsync(TimeSpan longest, CancellationToken cancellationToken) =>
        Task.WhenAny(_changed.Task, Task.Delay(longest, cancellationToken));

    /// <summary>Wakes all devices.</summary>
    public void Notify()
    {
        var signal = _changed;
        _changed = NewSignal();
        signal.SetResult();
    }

    /// <summary>Wakes all devices after a time.</summary>
    public void NotifyAfter(TimeSpan delay)
    {
        var due = time.GetTimestamp() + (long)(delay.TotalSeconds * time.TimestampFrequency);
        if (_timer is null || due < _due)
        {
            _timer?.Dispose();
            _due = due;
            _timer = grain.RunOnce(
                () =>
                {
                    _timer = null;
                    Notify();
                    return Task.CompletedTask;
                },
                delay
            );
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
