using System.Globalization;
using System.Runtime.InteropServices;
using Dti.Cli.Output;
using Dti.Cli.Work;
using Dti.ClientSdk;

namespace Dti.Cli.Demo;

/// <summary>The demo's page: one HTML file with everything in it, and nothing from elsewhere.</summary>
internal sealed class DemoPage(DemoResult result, CommandText commands)
{
    /// <summary>Marks pages that the demo may replace.</summary>
    public const string Generator = "<meta name=\"generator\" content=\"dti demo\">";

    public string Write() =>
        $"""
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        {Generator}
        <title>Dti demo: two concepts and what lies between them</title>
        <style>
        {Style()}
        </style>
        </head>
        <body>
        <header>
        <p class="eyebrow">Dti demo</p>
        <h1>Two concepts, and what lies between them</h1>
        <p class="lead">Directional Textual Inversion teaches a text-to-image model a new word from a few photos. The word's
        embedding has a direction and a length; the length is held at what the model's own words have, and only the
        <em>direction</em> is learnt, step by step on the sphere. So prompts go on working around the new word, and two words can be
        blended by walking the great circle from one to the other.</p>
        <p class="facts">{Facts()}</p>
        </header>
        <main>
        {string.Concat(result.Concepts.Select(Concept))}
        {Comparison()}
        {Blend()}
        {Settings()}
        </main>
        <footer>
        <p>Written by <code>dti demo</code>. Every picture came over gRPC; run the commands from the folder the demo ran in, and the
        same seeds give the same pictures.</p>
        </footer>
        </body>
        </html>

        """;

    private static string Style()
    {
        using var reader = new StreamReader(typeof(DemoPage).Assembly.GetManifestResourceStream("demo.css")!);
        return reader.ReadToEnd().TrimEnd();
    }

    private string Facts() => string.Join(" · ", new[]
    {
        $"model <strong>{Html.Text(result.Model.Name)}</strong>",
        Html.Text($"{result.Blend.Settings.Device}, {result.Blend.Settings.Dtype}"),
        $"{Environment.ProcessorCount} cores",
        Html.Text(RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()),
        $"{Numbers.Duration(result.Elapsed)} in all",
    });

    private string Concept(DemoConceptResult concept)
    {
        var (name, training) = (concept.Concept.Name, concept.Training);
        var previews = training.Previews.Select(preview => Figure(preview.Picture, $"{name} after {preview.Step} steps", $"step {preview.Step}"));
        var pictures = concept.Pictures.SelectMany(outcome => outcome.Pictures).Select(Drawn);
        var repeat = concept.Concept.Pictures.Select(options => commands.Generate(options, $"{name}-pictures"));
        return
            $"""
            <section id="{Html.Text(name)}">
            <h2>{Html.Text(name)}</h2>
            <h3>Photos (drawn by this project)</h3>
            <div class="row photos">
            {string.Concat(concept.Photos.Select(Photo))}</div>
            <h3>Training</h3>
            <p>{Summary(training)}</p>
            <div class="charts">
            {Charts(training.Progress)}</div>
            <h3>Previews as training went</h3>
            <div class="row small">
            {string.Concat(previews)}</div>
            {Html.Commands(commands.Train(concept.Concept))}
            <h3>Drawn with it</h3>
            <div class="row large">
            {string.Concat(pictures)}</div>
            {Html.Commands(repeat)}</section>

            """;
    }

    private static string Summary(TrainingOutcome training)
    {
        var (settings, last) = (training.Accepted.Settings, training.Result);
        return Html.Text(string.Create(
            CultureInfo.InvariantCulture,
            $"{training.Accepted.PhotoCount} photos, {last.Steps} steps in {Numbers.Duration(last.Elapsed)}, starting at “{settings.Initializer}”. " +
            $"The direction moved {last.AngleDegrees:F1}° from there; the norm stayed at {last.Norm:F4}. Final mean loss {last.LossAverage:F4}."));
    }

    private static string Charts(IReadOnlyList<TrainingProgress> progress) =>
        Chart("Loss", "each step, and its moving average", 0.02,
            new LineChart.Series("loss", "raw", [.. progress.Select(step => ((double)step.Step, step.Loss))]),
            new LineChart.Series("moving average", "line", [.. progress.Select(step => ((double)step.Step, step.LossAverage))])) +
        Chart("Angle from the start", "degrees", 0.02,
            new LineChart.Series("angle", "line", [(0, 0), .. progress.Select(step => ((double)step.Step, step.AngleDegrees))]));

    private static string Chart(string title, string remark, double leastSpan, params IReadOnlyList<LineChart.Series> series) =>
        $"<figure class=\"chart\">{LineChart.Draw(title, leastSpan, series)}<figcaption><strong>{title}</strong> {remark}</figcaption></figure>\n";

    private string Comparison()
    {
        var (dti, ti) = (result.Concepts[0].Training, result.Baseline.Training);
        return
            $"""
            <section id="comparison">
            <h2>The direction alone, or the whole embedding</h2>
            <p>Plain textual inversion (TI) learns the whole embedding from the same photos, in as many steps. {Norms(dti, ti)}
            Below, each long prompt is drawn from the same noise with either.</p>
            <div class="charts">
            {Chart("Norm of the embedding", "DTI (dark) and TI (light)", 0.2, Norm("DTI", "line", dti), Norm("TI", "raw", ti))}</div>
            {Html.Commands(commands.Train(result.Plan.Baseline))}
            {string.Concat(result.Comparisons.Select(Duel))}
            {Html.Commands(result.Plan.Comparisons.SelectMany(pair => ((GenerationOptions[])[pair.Dti, pair.Ti]).Select(options => commands.Generate(options, "compared"))))}</section>

            """;

        static LineChart.Series Norm(string name, string style, TrainingOutcome training) =>
            new(name, style, [.. training.Progress.Select(step => ((double)step.Step, step.Norm))]);
    }

    private static string Norms(TrainingOutcome dti, TrainingOutcome ti) => string.Create(
        CultureInfo.InvariantCulture,
        $"Its norm went from {ti.Progress[0].Norm:F3} to {ti.Result.Norm:F3}; with DTI it stayed at {dti.Result.Norm:F3}, the mean norm of the model's words.");

    private static string Duel(DemoComparisonResult comparison) =>
        $"""
        <h3>{Html.Text(comparison.Dti.Pictures[0].Prompt)}</h3>
        <div class="duel">
        <div><p>DTI</p><div class="quad">
        {string.Concat(comparison.Dti.Pictures.Select(Seeded))}</div></div>
        <div><p>TI</p><div class="quad">
        {string.Concat(comparison.Ti.Pictures.Select(Seeded))}</div></div>
        </div>

        """;

    private static string Seeded(Picture picture) => Figure(picture, picture.Prompt, $"<span class=\"seed\">seed {picture.Seed}</span>");

    private string Blend()
    {
        var accepted = result.Blend.Interpolation!;
        var angles = string.Join(", ", accepted.AnglesDegrees.Select(angle => string.Create(CultureInfo.InvariantCulture, $"{angle:F1}°")));
        var frames = result.Blend.Pictures.Select(frame => Figure(
            frame, $"frame {frame.Index + 1} of the interpolation", string.Create(CultureInfo.InvariantCulture, $"t = {frame.T:F2}")));
        return
            $"""
            <section id="between">
            <h2>Between the two</h2>
            <p>{accepted.Frames} pictures along the great circle from {Html.Text(accepted.FromConcept)} to {Html.Text(accepted.ToConcept)}, {angles} apart,
            all from the same noise.</p>
            <div class="strip">
            {string.Concat(frames)}</div>
            {Html.Commands(commands.Interpolate(result.Plan.Blend))}</section>
            """;
    }

    private string Settings()
    {
        var accepted = result.Blend.Interpolation!;
        IReadOnlyList<(string, string)> blend =
        [
            ("from_concept", accepted.FromConcept), ("to_concept", accepted.ToConcept), ("frames", $"{accepted.Frames}"),
            ("easing", SettingsTable.Word(accepted.Easing)), .. SettingsTable.Of(accepted.Settings).Where(setting => setting.Name != "num_images"),
        ];
        var trainings = result.Concepts.Append(result.Baseline).ToList();
        var drawing = SettingsTable.Of(result.Concepts[0].Pictures[0].Settings).Where(setting => setting.Name != "prompt").ToList();
        return
            $"""
            <section id="settings">
            <h2>Every setting used</h2>
            <h3>Training</h3>
            {Html.Table([.. trainings.Select(training => training.Concept.Name)], [.. trainings.Select(training => SettingsTable.Of(training.Training.Accepted.Settings).ToList())])}<h3>Drawing</h3>
            {Html.Table(["each prompt", "between"], [drawing, blend])}</section>
            """;
    }

    private static string Photo(Photo photo) => Html.Figure(MediaType(photo.FileName), photo.Data, photo.FileName, Html.Text(photo.FileName));

    private static string Drawn(Picture picture) => Figure(
        picture, picture.Prompt, $"{Html.Text(picture.Prompt)} <span class=\"seed\">seed {picture.Seed}</span>");

    private static string Figure(Picture picture, string description, string caption) =>
        Html.Figure(picture.MediaType, picture.Data, description, caption, pixelated: picture.Width < 256);

    private static string MediaType(string fileName) =>
        Path.GetExtension(fileName).Equals(".png", StringComparison.OrdinalIgnoreCase) ? "image/png" : "image/jpeg";
}
