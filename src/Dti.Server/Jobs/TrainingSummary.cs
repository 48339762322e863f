using Dti.Engine.Imaging;
using Dti.V1;
using ScottPlot;
using SkiaSharp;
using Color = ScottPlot.Color;
using TrainingSettings = Dti.Engine.Training.TrainingSettings;

namespace Dti.Server.Jobs;

/// <summary>
/// A run in one image: loss, norm, angle and κ/‖g‖ over its steps, and below them its previews, a row for each
/// prompt. Text needs one of a few fonts on the machine; without, there is none.
/// </summary>
internal sealed class TrainingSummary(TrainingSettings settings)
{
    private const int PanelWidth = 400;
    private const int PanelHeight = 260;
    private const int MaxPoints = 2000;
    private const int MaxColumns = 8;
    private const int MaxPreviews = 2 * MaxColumns;
    private const int Caption = 24;

    private readonly List<TrainProgress> _steps = [];
    private readonly List<TrainCheck> _checks = [];
    private readonly List<Preview> _previews = [];
    private int _every = 1;
    private int _everyColumn = 1;
    private int _columns;

    /// <summary>Steps whose previews are kept.</summary>
    internal IReadOnlyList<int> PreviewSteps => [.. _previews.Select(preview => preview.Step).Distinct()];

    /// <summary>
    /// Takes note of an event; of many steps, only so many as a curve needs, and of many previews, encoded, so many as
    /// twice its columns.
    /// </summary>
    public void Add(TrainResponse response)
    {
        switch (response)
        {
            case { Progress: { } step } when step.Step % _every == 0 || step.Step == settings.Steps:
                _steps.Add(step);
                if (_steps.Count > MaxPoints)
                {
                    _every *= 2;
                    _steps.RemoveAll(kept => kept.Step % _every != 0);
                }

                break;
            case { Check: { } check }:
                _checks.Add(check);
                break;
            case { Preview: { Picture: not null } preview }:
                Add(preview);
                break;
        }
    }

    // Columns are thinned as steps are: every one is kept, then every second, …, and always the newest.
    private void Add(TrainPreview preview)
    {
        if (_previews.Count == 0 || _previews[^1].Step != preview.Step)
        {
            _previews.RemoveAll(kept => kept.Column % _everyColumn != 0); // it was the newest
            if (_previews.Select(kept => kept.Column).Distinct().Count() >= MaxPreviews)
            {
                _everyColumn *= 2;
                _previews.RemoveAll(kept => kept.Column % _everyColumn != 0);
            }

            _columns++;
        }

        _previews.Add(
            new Preview(
                _columns - 1,
                preview.Step,
                preview.Picture.Index,
                preview.Picture.Prompt,
                ImageCodec.Encode(
                    ImageCodec.Decode(preview.Picture.Data.Span, "preview"),
                    Engine.Imaging.ImageFormat.Jpeg
                )
            )
        );
    }

    /// <summary>The image as it stands: a PNG; empty before the first step.</summary>
    public byte[] Render()
    {
        if (_steps.Count == 0)
        {
            return [];
        }

        using var curves = Curves();
        using var bitmap = SKBitmap.Decode(curves.GetImageBytes(ScottPlot.ImageFormat.Png));
        var columns = Columns();
        var rows = _previews.Select(preview => preview.Index).Distinct().Order().ToArray();
        var side = columns.Length == 0 ? 0 : Math.Min(bitmap.Width / columns.Length, 256);
        using var canvas = new SKBitmap(
            bitmap.Width,
            bitmap.Height + (rows.Length * (side + Caption)) + (rows.Length > 0 ? Caption : 0)
        );
        using (var painter = new SKCanvas(canvas))
        {
            painter.Clear(SKColors.White);
            painter.DrawBitmap(bitmap, 0, 0, SKSamplingOptions.Default);
            using var font = new SKFont(PlotFont.Typeface, 13);
            using var ink = new SKPaint { Color = new SKColor(0x33, 0x33, 0x33), IsAntialias = true };
            foreach (var (column, step) in columns.Index())
            {
                painter.DrawText(
                    step > 0 ? $"step {step}"
                        : settings.StartsAtWord ? $"before: {settings.Initializer}"
                        : "before",
                    (column * side) + 4,
                    bitmap.Height + Caption - 7,
                    SKTextAlign.Left,
                    font,
                    ink
                );
            }

            foreach (var (row, prompt) in rows.Index())
            {
                var top = bitmap.Height + Caption + (row * (side + Caption));
                foreach (var (column, step) in columns.Index())
                {
                    if (
                        _previews.LastOrDefault(preview => preview.Step == step && preview.Index == prompt) is
                        { } preview
                    )
                    {
                        using var picture = SKBitmap.Decode(preview.Picture);
                        var scale = (float)side / Math.Max(picture.Width, picture.Height);
                        using var image = SKImage.FromBitmap(picture);
                        painter.DrawImage(
                            image,
                            SKRect.Create(column * side, top, picture.Width * scale, picture.Height * scale),
                            new SKSamplingOptions(SKFilterMode.Linear, SKMipmapMode.Linear)
                        );
                    }
                }

                painter.DrawText(
                    _previews.Last(preview => preview.Index == prompt).Prompt,
                    4,
                    top + side + Caption - 7,
                    SKTextAlign.Left,
                    font,
                    ink
                );
            }
        }

        using var file = canvas.Encode(SKEncodedImageFormat.Png, 100);
        return file.ToArray();
    }

    // The first, the last, and evenly what lies between.
    private int[] Columns()
    {
        int[] steps = [.. _previews.Select(preview => preview.Step).Distinct().Order()];
        return steps.Length <= MaxColumns
            ? steps
            :
            [
                .. Enumerable
                    .Range(0, MaxColumns)
                    .Select(i => steps[(int)Math.Round(i * (steps.Length - 1.0) / (MaxColumns - 1))]),
            ];
    }

    private Image Curves()
    {
        double[] x = [.. _steps.Select(step => (double)step.Step)];
        var norm = Panel("norm", (x, step => step.Norm, "", 1));
        // DTI's stays as it is, and rounding is not to look like more
        norm.Axes.SetLimitsY(0, 1.25 * _steps.Max(step => step.Norm));
        var panels = new List<Plot>
        {
            Panel("loss", (x, step => step.Loss, "each step", 0.25), (x, step => step.LossAverage, "average", 1)),
            norm,
            Panel("angle from the start, degrees", (x, step => step.AngleDegrees, "", 1)),
        };
        if (settings.Kappa > 0)
        {
            panels.Add(Panel("κ / ‖g‖", (x, step => step.KappaOverGradient, "", 1)));
        }

        if (_checks.Count > 0)
        {
            double[] at = [.. _checks.Select(check => (double)check.Step)];
            panels[0].Add.Scatter(at, [.. _checks.Select(check => check.HeldOutLoss)]).LegendText = "held out";
            panels[0].ShowLegend(Alignment.UpperRight);
            var drift = Panel("drift of the other words");
            drift.Add.Scatter(at, [.. _checks.Select(check => check.Drift)]);
            panels.Add(drift);
        }

        var all = new Multiplot();
        all.RemovePlot(all.GetPlot(0));
        panels.ForEach(all.AddPlot);
        all.Layout = new ScottPlot.MultiplotLayouts.Columns();
        var image = all.Render(PanelWidth * panels.Count, PanelHeight);
        panels.ForEach(panel => panel.Dispose());
        return image;
    }

    private Plot Panel(
        string label,
        params (double[] X, Func<TrainProgress, double> Y, string Name, double Opacity)[] lines
    )
    {
        var plot = new Plot();
        plot.Title(label, 14);
        plot.XLabel("step");
        foreach (var (at, value, name, opacity) in lines)
        {
            var line = plot.Add.ScatterLine(at, [.. _steps.Select(value)], Color.FromHex("#2a66cc").WithAlpha(opacity));
            line.LegendText = name;
            line.LineWidth = opacity < 1 ? 1 : 2;
        }

        if (lines.Length > 1)
        {
            plot.ShowLegend(Alignment.UpperRight);
        }

        PlotFont.Apply(plot);
        return plot;
    }

    /// <param name="Column">Which in the run's order, from 0.</param>
    /// <param name="Step">Steps done.</param>
    /// <param name="Index">Of the prompt.</param>
    /// <param name="Prompt">The prompt.</param>
    /// <param name="Picture">JPEG.</param>
    private sealed record Preview(int Column, int Step, int Index, string Prompt, byte[] Picture);
}
