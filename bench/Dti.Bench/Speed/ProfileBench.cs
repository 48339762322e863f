using System.Globalization;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime;
using Dti.Engine.Runtime.Devices;
using Dti.Server.Jobs;
using ScottPlot;

namespace Dti.Bench.Speed;

/// <summary>
/// Where the time of Dti's own steps goes: a table of parts and work for each case, and a picture of all.
/// </summary>
internal static class ProfileBench
{
    private static readonly StepPart[] _parts = Enum.GetValues<StepPart>();
    private static readonly StepWork[] _works =
    [
        StepWork.Convolution,
        StepWork.Linear,
        StepWork.Attention,
        StepWork.Norm,
        StepWork.Rest,
    ];

    public static int Run(Arguments arguments, Func<string, string> model)
    {
        var asked = arguments.Text("--case", "sd15-sample,sd15-train-256-b1,sd15-train-512-b1");
        var steps = arguments.Number("--rounds", 3);
        var table = new Table(["case", "dtype", "part", .. _works.Select(work => $"{work} ms"), "all ms", "share"]);
        var bars = new List<(string Name, IReadOnlyDictionary<(StepPart Part, StepWork Work), TimeSpan> Times)>();
        foreach (var speedCase in SpeedCase.Named(asked))
        {
            foreach (var dtype in arguments.Text("--dtypes", "fp32,bf16").Split(','))
            {
                var times = Measure(
                    speedCase,
                    (StableDiffusionProfile)ModelFamilies.BuiltIn.Read(model(speedCase.Model)),
                    ComputeTarget.Resolve(arguments.Text("--device", "cpu"), dtype),
                    steps
                );
                var all = times.Values.Sum(time => time.TotalMilliseconds);
                foreach (var part in _parts)
                {
                    var row = _works.Select(work => times.GetValueOrDefault((part, work)).TotalMilliseconds).ToArray();
                    if (row.Sum() > 0)
                    {
                        table.Add([
                            speedCase.Name,
                            dtype,
                            $"{part}",
                            .. row.Append(row.Sum()).Select(time => time.ToString("F1", CultureInfo.InvariantCulture)),
                            Share(row.Sum() / all),
                        ]);
                    }
                }

                bars.Add(($"{speedCase.Name} {dtype}", times));
            }
        }

        table.Save(
            "profile",
            """
            Milliseconds of one of Dti's steps, by part and work: the mean of a few, each moment counted once. Written by `./dti bench --profile`.
            On the way back, attention and norms are libtorch's and stand under Rest.
            """
        );
        Draw(bars, Path.Combine(Folders.Bench, "profile.png"));
        return 0;
    }

    private static Dictionary<(StepPart Part, StepWork Work), TimeSpan> Measure(
        SpeedCase speedCase,
        StableDiffusionProfile profile,
        ComputeTarget target,
        int steps
    )
    {
        using var ours = new OurContender(speedCase, profile, target);
        ours.Step();
        ours.Step(); // what is made at the first time is there
        using var measured = new StepProfile(ours.Model.Target.Device);
        for (var i = 0; i < steps; i++)
        {
            ours.Step();
        }

        return measured.Times.ToDictionary(time => time.Key, time => time.Value / steps);
    }

    private static string Share(double share) => share.ToString("P0", CultureInfo.InvariantCulture);

    /// <summary>A bar for each case, work beside work, the way back's after the others.</summary>
    private static void Draw(
        List<(string Name, IReadOnlyDictionary<(StepPart Part, StepWork Work), TimeSpan> Times)> cases,
        string file
    )
    {
        var plot = new Plot();
        var segments = _works
            .SelectMany(work => new[] { (work, Back: false), (work, Back: true) })
            .OrderBy(segment => segment.Back)
            .ToArray();
        var colors = new ScottPlot.Palettes.Category10().Colors;
        foreach (var (segment, index) in segments.Select((segment, index) => (segment, index)))
        {
            var color = colors[Array.IndexOf(_works, segment.work)].WithAlpha(segment.Back ? 0.55 : 1);
            var bars = cases
                .Select(
                    (one, row) =>
                    {
                        double Of(int until) =>
                            segments
                                .Take(until)
                                .Sum(other =>
                                    one.Times.Where(time =>
                                            time.Key.Work == other.work
                                            && (time.Key.Part == StepPart.WayBack) == other.Back
                                        )
                                        .Sum(time => time.Value.TotalSeconds)
                                );
                        var all = Of(segments.Length);
                        return new Bar
                        {
                            Position = cases.Count - row,
                            ValueBase = 100 * Of(index) / all,
                            Value = 100 * Of(index + 1) / all,
                            FillColor = color,
                            LineWidth = 0,
                            Size = 0.75,
                        };
                    }
                )
                .ToArray();
            if (bars.Any(bar => bar.Value - bar.ValueBase > 0.05))
            {
                var added = plot.Add.Bars(bars);
                added.Horizontal = true;
                added.LegendText = $"{segment.work}{(segment.Back ? ", way back" : "")}";
            }
        }

        plot.Axes.Left.SetTicks(
            [.. cases.Select((_, row) => (double)(cases.Count - row))],
            [.. cases.Select(one => one.Name)]
        );
        plot.Axes.Left.MinimumSize = 190;
        plot.Axes.Bottom.Label.Text = "% of the step";
        plot.Axes.SetLimits(0, 100, 0.3, cases.Count + 0.7);
        plot.HideGrid();
        plot.ShowLegend(Edge.Right);
        PlotFont.Apply(plot);
        plot.SavePng(file, 1100, 120 + (44 * cases.Count));
    }
}
