using System.Globalization;

namespace Dti.Cli.Compare;

/// <summary>What was measured of one training.</summary>
internal sealed record ComparedRun(
    string Method,
    string Subject,
    ulong Seed,
    IReadOnlyDictionary<string, double> Values
);

/// <summary>
/// <c>results.csv</c>: a row per training, added when it is judged, so that a comparison that was cut off continues.
/// </summary>
internal sealed class ComparisonResults(string file)
{
    private static readonly string[] _keys = ["method", "subject", "seed"];

    /// <summary>All rows; none if there is no file.</summary>
    /// <exception cref="CliException">The file is another one.</exception>
    public IReadOnlyList<ComparedRun> Read()
    {
        if (!File.Exists(file))
            return [];
        try
        {
            var lines = File.ReadAllLines(file).Select(line => line.Split(',')).ToArray();
            return
            [
                .. lines
                    .Skip(1)
                    .Select(line => new ComparedRun(
                        line[0],
                        line[1],
                        ulong.Parse(line[2], CultureInfo.InvariantCulture),
                        lines[0]
                            .Zip(line)
                            .Skip(_keys.Length)
                            .ToDictionary(
                                pair => pair.First,
                                pair => double.Parse(pair.Second, CultureInfo.InvariantCulture)
                            )
                    )),
            ];
        }
        catch (Exception error) when (error is FormatException or IndexOutOfRangeException)
        {
            throw new CliException(
                ExitCode.Failed,
                $"'{file}' is not a file of results; move it away, or choose another folder."
            );
        }
    }

    public void Add(ComparedRun run)
    {
        if (!File.Exists(file))
            File.WriteAllText(file, string.Join(',', [.. _keys, .. run.Values.Keys]) + "\n");
        var values = run.Values.Values.Select(value => value.ToString("F5", CultureInfo.InvariantCulture));
        File.AppendAllText(file, string.Join(',', [run.Method, run.Subject, $"{run.Seed}", .. values]) + "\n");
    }
}

/// <summary>A mean with half of its 95 % confidence interval, by Student's t over the runs.</summary>
internal readonly record struct MeanInterval(double Mean, double Half)
{
    // Two-sided 95 % quantiles for 1 to 30 degrees of freedom.
    private static readonly double[] _t =
    [
        12.706,
        4.303,
        3.182,
        2.776,
        2.571,
        2.447,
        2.365,
        2.306,
        2.262,
        2.228,
        2.201,
        2.179,
        2.160,
        2.145,
        2.131,
        2.120,
        2.110,
        2.101,
        2.093,
        2.086,
        2.080,
        2.074,
        2.069,
        2.064,
        2.060,
        2.056,
        2.052,
        2.048,
        2.045,
        2.042,
    ];

    // Student's t of two values is 12.7: their interval is wider than anything that is compared.
    private const int MinRuns = 3;

    /// <summary>Of one value or more; of one or two the interval is not known.</summary>
    public static MeanInterval Of(IReadOnlyList<double> values)
    {
        var (n, mean) = (values.Count, values.Average());
        if (n < MinRuns)
            return new MeanInterval(mean, double.NaN);
        var deviation = Math.Sqrt(values.Sum(value => (value - mean) * (value - mean)) / (n - 1));
        return new MeanInterval(mean, (n - 2 < _t.Length ? _t[n - 2] : 1.96) * deviation / Math.Sqrt(n));
    }

    public override string ToString() =>
        Mean.ToString("F3", CultureInfo.InvariantCulture)
        + (double.IsNaN(Half) ? "" : string.Create(CultureInfo.InvariantCulture, $" ± {Half:F3}"));
}
