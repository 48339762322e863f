namespace Dti.Engine.Schedulers;

/// <summary>Which training timesteps n sampling steps visit; rounding as numpy's, half to even.</summary>
internal static class Timesteps
{
    /// <summary>From noisy to clean.</summary>
    /// <param name="config">T, spacing and offset.</param>
    /// <param name="steps">n, at most T.</param>
    /// <param name="absent">The spacing where the config names none.</param>
    /// <param name="roundLinspace">Whether linspace gives whole numbers.</param>
    /// <param name="beforeClean">Whether the last step leads to the image itself, so that leading and linear spacing
    /// reckon with one step more.</param>
    /// <exception cref="DtiException">There are more steps than training steps.</exception>
    public static double[] Spread(
        SchedulerConfig config,
        int steps,
        TimestepSpacing absent,
        bool roundLinspace,
        bool beforeClean = false
    )
    {
        var total = config.NumTrainTimesteps;
        var spacing = config.TimestepSpacing ?? absent;
        beforeClean &= spacing != TimestepSpacing.Trailing;
        if (steps > total - (beforeClean ? 1 : 0))
        {
            throw new DtiException(
                ErrorKind.InvalidArgument,
                $"steps is {steps}; the model was trained with {total}, so at most {(beforeClean ? total - 1 : total)} can be sampled.",
                "steps"
            );
        }

        if (beforeClean)
        {
            return Spread(config, steps + 1, absent, roundLinspace)[..^1];
        }

        var forward = Enumerable.Range(0, steps);
        return spacing switch
        {
            // With as many steps as the model was trained with, the offset would lead beyond the last one.
            TimestepSpacing.Leading =>
            [
                .. forward
                    .Reverse()
                    .Select(i => (double)Math.Min((i * (total / steps)) + config.StepsOffset, total - 1)),
            ],
            TimestepSpacing.Trailing => [.. forward.Select(i => Math.Round(total - (i * ((double)total / steps))) - 1)],
            _ => [.. forward.Reverse().Select(i => Linspace(i)).Select(t => roundLinspace ? Math.Round(t) : (float)t)],
        };

        double Linspace(int i) => steps == 1 ? 0 : i * ((double)(total - 1) / (steps - 1));
    }
}
