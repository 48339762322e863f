namespace Dti.Server.Jobs.Grains;

/// <summary>Timers of grains.</summary>
internal static class GrainTimers
{
    /// <summary>Runs a callback once after a delay, on a turn of the grain.</summary>
    /// <param name="grain">The grain.</param>
    /// <param name="callback">The callback; the timer has been disposed of by then.</param>
    /// <param name="delay">The delay.</param>
    /// <returns>The timer; to dispose of it cancels the callback.</returns>
    public static IGrainTimer RunOnce(this IGrainBase grain, Func<Task> callback, TimeSpan delay)
    {
        IGrainTimer? timer = null;
        return timer = grain.RegisterGrainTimer(
            _ =>
            {
                timer!.Dispose();
                return callback();
            },
            new GrainTimerCreationOptions { DueTime = delay, Period = Timeout.InfiniteTimeSpan }
        );
    }
}
