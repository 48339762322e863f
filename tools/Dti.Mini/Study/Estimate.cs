using System.Globalization;
using Dti.Mini.World;

namespace Dti.Mini.Study;

/// <summary>
/// A mean over subjects with its 95 % confidence interval: percentiles of 10,000 bootstrap samples of the subjects.
/// </summary>
internal sealed record Estimate(double Mean, double Low, double High)
{
    private const int Samples = 10_000;

    /// <summary>Half of the interval.</summary>
    public double Half => (High - Low) / 2;

    public static Estimate Of(IReadOnlyList<double> values)
    {
        var dice = new Dice(5);
        var means = Enumerable
            .Range(0, Samples)
            .Select(_ => Enumerable.Range(0, values.Count).Average(_ => dice.Pick(values)))
            .Order()
            .ToArray();
        return new Estimate(values.Average(), means[Samples / 40], means[^(Samples / 40)]);
    }

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"{Mean:F3} ({Low:F3} to {High:F3})");
}
