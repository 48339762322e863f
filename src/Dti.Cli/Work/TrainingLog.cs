using System.Globalization;
using Dti.Cli.Output;
using Dti.ClientSdk;

namespace Dti.Cli.Work;

/// <summary>
/// The curves of a training in a separate folder: <c>curves.csv</c>, <c>checks.csv</c>, and an event file that
/// TensorBoard shows, with the previews.
/// </summary>
/// <param name="folder">For all runs; null: nothing is written.</param>
/// <param name="output">Told where the files are.</param>
/// <param name="time">The clock.</param>
internal sealed class TrainingLog(string? folder, IOutput output, TimeProvider time) : IDisposable
{
    private EventFile? _events;
    private StreamWriter? _curves;
    private StreamWriter? _checks;

    /// <summary>Creates the folder of a run and its files.</summary>
    /// <param name="name">Of the concept.</param>
    /// <param name="jobId">Of the training.</param>
    /// <exception cref="IOException">A file cannot be written.</exception>
    public void Open(string name, string jobId)
    {
        if (folder is null || _events is not null)
            return;
        var run = Directory.CreateDirectory(Path.Combine(folder, $"{name}-{jobId}")).FullName;
        _events = new EventFile(run, time);
        _curves = Table(Path.Combine(run, "curves.csv"));
        _checks = Table(Path.Combine(run, "checks.csv"));
        output.Event("log", new { path = run });
        output.Line($"log {run}");
    }

    public void Add(TrainingProgress step) =>
        Add(
            _curves,
            step.Step,
            [
                ("loss", step.Loss),
                ("loss_average", step.LossAverage),
                ("norm", step.Norm),
                ("angle_degrees", step.AngleDegrees),
                ("kappa_over_gradient", step.KappaOverGradient),
                ("learning_rate", step.LearningRate),
                ("steps_per_second", step.StepsPerSecond),
            ]
        );

    public void Add(TrainingCheck check) =>
        Add(_checks, check.Step, [("held_out_loss", check.HeldOutLoss), ("drift", check.Drift)]);

    public void Add(TrainingPreview preview) =>
        _events?.AddImage(
            string.Create(CultureInfo.InvariantCulture, $"preview_{preview.Picture.Index}"),
            preview.Step,
            preview.Picture.Width,
            preview.Picture.Height,
            preview.Picture.Data.Span
        );

    public void Dispose()
    {
        _events?.Dispose();
        _curves?.Dispose();
        _checks?.Dispose();
    }

    private static StreamWriter Table(string path) => new(path) { AutoFlush = true, NewLine = "\n" };

    private void Add(StreamWriter? table, int step, IReadOnlyList<(string Name, double Value)> values)
    {
        if (table is null)
            return;
        if (table.BaseStream.Length == 0)
            table.WriteLine(string.Join(',', values.Select(value => value.Name).Prepend("step")));
        var numbers = values.Select(value => value.Value.ToString("R", CultureInfo.InvariantCulture));
        table.WriteLine(string.Join(',', numbers.Prepend(step.ToString(CultureInfo.InvariantCulture))));
        foreach (var (name, value) in values)
            _events!.AddScalar(name, step, value);
    }
}
