using System.Globalization;
using Dti.ClientSdk;

namespace Dti.Cli.Output;

/// <summary>Numbers as people read them, the same in every culture.</summary>
internal static class Numbers
{
    public static string Training(TrainingProgress progress) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"loss {progress.LossAverage:F4}, norm {progress.Norm:F3}, angle {progress.AngleDegrees:F1}°, {Rate(progress.StepsPerSecond)}"
        );

    public static string Check(TrainingCheck check) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"step {check.Step}: held-out loss {check.HeldOutLoss:F4}, drift of other words {check.Drift:F4}"
        );

    public static string Rate(double stepsPerSecond) =>
        stepsPerSecond switch
        {
            >= 1 => string.Create(CultureInfo.InvariantCulture, $"{stepsPerSecond:F1} steps/s"),
            > 0 => string.Create(CultureInfo.InvariantCulture, $"{1 / stepsPerSecond:F1} s/step"),
            _ => "…",
        };

    public static string Duration(TimeSpan time) =>
        time.TotalSeconds switch
        {
            < 10 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:F1} s"),
            < 90 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:F0} s"),
            < 5400 => string.Create(CultureInfo.InvariantCulture, $"{time.TotalMinutes:F0} min"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{time.TotalHours:F1} h"),
        };

    public static string Size(long bytes) =>
        bytes switch
        {
            < 1 << 20 => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1024.0:F0} KiB"),
            < 1L << 30 => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):F1} MiB"),
            _ => string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F2} GiB"),
        };

    /// <summary>Shortest digits that give the number back.</summary>
    public static string Exact(double value) => value.ToString("R", CultureInfo.InvariantCulture);
}
