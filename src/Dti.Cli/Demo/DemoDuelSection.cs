using System.Globalization;
using Dti.Cli.Output;
using Dti.Cli.Work;
using Dti.ClientSdk;

namespace Dti.Cli.Demo;

/// <summary>The section of one subject on the demo's page: its photos, and each prompt by DTI above TI.</summary>
internal sealed class DemoDuelSection(DemoDuelResult duel, CommandText commands)
{
    public string Write()
    {
        var name = duel.Plan.Dti.Name;
        var previews = duel.Dti.Previews.Select(preview =>
            Html.Figure(preview.Picture, $"{name} after {preview.Step} steps", $"step {preview.Step}")
        );
        var generations = duel
            .Plan.Prompts.SelectMany(prompt => new[] { prompt.Dti[0], prompt.Ti[0] })
            .Select(options => commands.Generate(options, $"{name}-images"));
        return $"""
            <section id="{Html.Text(name)}">
            <h2>{Html.Text(name)}</h2>
            <h3>The five images it is learnt from</h3>
            <div class="row photos">
            {string.Concat(duel.Photos.Select(Photo))}</div>
            {string.Concat(duel.Prompts.Select(prompt => Comparison(name, prompt)))}
            <details>
            <summary>How it was trained, and the commands that repeat it</summary>
            <p>{Summary()}</p>
            <div class="charts">
            {Charts()}</div>
            <h3>Previews while DTI trained</h3>
            <div class="row small">
            {string.Concat(previews)}</div>
            {Html.Commands(commands.Train(duel.Plan.Dti), commands.Train(duel.Plan.Ti))}
            <p>For the first seed of each prompt; <code>--seed</code> selects the others.</p>
            {Html.Commands(generations)}</details>
            </section>

            """;
    }

    private static string Comparison(string name, DemoPromptResult prompt)
    {
        var text = Html.Text(prompt.Plan.Text)
            .Replace("{concept}", $"<em>{Html.Text($"<{name}>")}</em>", StringComparison.Ordinal);
        return $"""
            <h3 class="prompt">{text}</h3>
            <div class="versus">
            <p>DTI</p><div class="quad">
            {string.Concat(prompt.Dti.Select(Seeded))}</div>
            <p>TI</p><div class="quad">
            {string.Concat(prompt.Ti.Select(Seeded))}</div>
            </div>

            """;
    }

    private static string Seeded(GenerationOutcome outcome) =>
        Html.Figure(
            outcome.Pictures[0],
            outcome.Pictures[0].Prompt,
            $"<span class=\"seed\">seed {outcome.Settings.Seed}</span>"
        );

    private string Summary()
    {
        var (settings, last) = (duel.Dti.Accepted.Settings, duel.Dti.Result);
        var run =
            string.Create(CultureInfo.InvariantCulture, $"{duel.Dti.Accepted.PhotoCount} photos, {last.Steps} steps, ")
            + string.Create(
                CultureInfo.InvariantCulture,
                $"starting at the word “{settings.Initializer}”. DTI took {Numbers.Duration(last.Elapsed)}, "
            )
            + string.Create(
                CultureInfo.InvariantCulture,
                $"TI {Numbers.Duration(duel.Ti.Result.Elapsed)}. DTI’s direction moved {last.AngleDegrees:F1}°."
            );
        return Html.Text(run);
    }

    private string Charts()
    {
        var progress = duel.Dti.Progress;
        return Html.Chart(
                "Loss",
                "DTI’s, each step, and its moving average",
                leastSpan: 0.02,
                Series("loss", "raw", progress.Select(step => (step.Step, step.Loss))),
                Series("moving average", "line", progress.Select(step => (step.Step, step.LossAverage)))
            )
            + Html.Chart(
                "Angle from the start",
                "DTI’s, in degrees",
                leastSpan: 0.02,
                Series("angle", "line", progress.Select(step => (step.Step, step.AngleDegrees)).Prepend((0, 0)))
            );

        static LineChart.Series Series(string name, string style, IEnumerable<(int Step, double Value)> points) =>
            new(name, style, [.. points.Select(point => ((double)point.Step, point.Value))]);
    }

    private static string Photo(Photo photo)
    {
        var png = Path.GetExtension(photo.FileName).Equals(".png", StringComparison.OrdinalIgnoreCase);
        return Html.Figure(png ? "image/png" : "image/jpeg", photo.Data, photo.FileName, Html.Text(photo.FileName));
    }
}
