using System.Globalization;

namespace Dti.Bench.Load;

/// <summary>How often more something took than what was measured just before it, over several rounds.</summary>
internal sealed class Ratios
{
    private readonly List<double> _all = [];

    public void Add(double with, double without) => _all.Add(with / without);

    /// <summary>Median, least and most.</summary>
    public override string ToString()
    {
        var sorted = _all.Order().ToArray();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{sorted[sorted.Length / 2]:F3} ({sorted[0]:F3} to {sorted[^1]:F3})"
        );
    }
}
