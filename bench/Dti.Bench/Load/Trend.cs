namespace Dti.Bench.Load;

/// <summary>A straight line through measurements, by least squares.</summary>
/// <param name="Slope">By unit of x.</param>
/// <param name="Error">The slope's standard error. That each measurement is like the one before is counted: of n there
/// are but n (1 − ρ) / (1 + ρ).</param>
internal sealed record Trend(double Slope, double Error)
{
    public static Trend Of(double[] x, double[] y)
    {
        var (atX, atY) = (x.Average(), y.Average());
        var spread = x.Sum(value => (value - atX) * (value - atX));
        var slope = x.Zip(y, (a, b) => (a - atX) * (b - atY)).Sum() / spread;
        var left = x.Zip(y, (a, b) => b - atY - (slope * (a - atX))).ToArray();
        var squares = left.Sum(value => value * value);
        var alike = Math.Clamp(left.Zip(left.Skip(1), (a, b) => a * b).Sum() / squares, 0, 0.99);
        return new Trend(slope, Math.Sqrt(squares / (x.Length - 2) / spread * (1 + alike) / (1 - alike)));
    }
}
