using System.Globalization;
using System.Runtime.InteropServices;
using Dti.Cli.Files;
using Dti.Cli.Output;
using Dti.Cli.Work;

namespace Dti.Cli.Demo;

/// <summary>The demo's page: one self-contained HTML file.</summary>
internal sealed class DemoPage(DemoResult result, CommandText commands)
{
    /// <summary>Marks pages that the demo may replace.</summary>
    public const string Generator = "<meta name=\"generator\" content=\"dti demo\">";

    private const string Title = "Two new designs, each learnt from five images";

    public string Write() =>
        $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            {Generator}
            <title>Dti demo: {Title}</title>
            <style>
            {Style()}
            </style>
            </head>
            <body>
            <header>
            <p class="eyebrow">Dti demo</p>
            <h1>{Title}</h1>
            <p class="lead">Textual inversion teaches a text-to-image model a new word from a few images. Plain textual
            inversion (<strong>TI</strong>) lets the norm of the word’s embedding grow, and the rest of a prompt then
            has less effect. Directional Textual Inversion (<strong>DTI</strong>) keeps the norm at that of the
            model’s own words and learns only the <em>direction</em>. Below, both learn two designs that no word of the
            model names, from the same images and in as many steps, and generate from the same prompts and seeds. For each
            row ask: is this the thing in the images above, and does it follow the prompt?</p>
            <p class="facts">{Facts()}</p>
            </header>
            <main>
            {string.Concat(result.Duels.Select(duel => new DemoDuelSection(duel, commands).Write()))}
            {Norms()}
            {Blend()}
            {Scope()}
            {Settings()}
            </main>
            <footer>
            <p>Written by <code>dti demo</code>. Every image came over gRPC. Run the commands from the folder the demo ran
            in, and the same seeds give the same images.</p>
            </footer>
            </body>
            </html>

            """;

    /// <summary>Minutes and seconds, so that the total agrees with a reader's own clock.</summary>
    internal static string Clock(TimeSpan time) =>
        time.TotalSeconds < 60
            ? string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalSeconds} s")
            : string.Create(CultureInfo.InvariantCulture, $"{(int)time.TotalMinutes} min {time.Seconds} s");

    private static string Style()
    {
        using var reader = new StreamReader(typeof(DemoPage).Assembly.GetManifestResourceStream("demo.css")!);
        return reader.ReadToEnd().TrimEnd();
    }

    private string Facts() =>
        string.Join(
            " · ",
            new[]
            {
                $"model <strong>{Html.Text(result.Model.Name)}</strong>",
                Html.Text($"{result.Blend.Settings.Device}, {result.Blend.Settings.Dtype}"),
                $"{Environment.ProcessorCount} cores",
                Html.Text(RuntimeInformation.OSArchitecture.ToString().ToLowerInvariant()),
                $"{Clock(result.Elapsed)} in all",
            }
        );

    private string Norms() =>
        $"""
            <section id="norm">
            <h2>Why: the length of the embedding</h2>
            <p>With DTI, the norm stays at the mean of the model’s words. With TI, it is free to grow.</p>
            <div class="charts">
            {string.Concat(result.Duels.Select(Norm))}</div>
            </section>

            """;

    private static string Norm(DemoDuelResult duel)
    {
        var (from, to) = (duel.Ti.Progress[0].Norm, duel.Ti.Result.Norm);
        return Html.Chart(
            duel.Plan.Dti.Name,
            string.Create(
                CultureInfo.InvariantCulture,
                $"norm by step: DTI {duel.Dti.Result.Norm:F2} (dark), TI from {from:F2} to {to:F2} (light)"
            ),
            leastSpan: 0.2,
            Series("DTI", "line", duel.Dti),
            Series("TI", "raw", duel.Ti)
        );

        static LineChart.Series Series(string name, string style, TrainingOutcome training) =>
            new(name, style, [.. training.Progress.Select(step => ((double)step.Step, step.Norm))]);
    }

    private string Blend()
    {
        var accepted = result.Blend.Interpolation!;
        var angles = string.Join(
            ", ",
            accepted.AnglesDegrees.Select(angle => string.Create(CultureInfo.InvariantCulture, $"{angle:F1}°"))
        );
        var frames = result
            .Blend.Pictures.Where(frame => frame.Index % DemoScript.StripEvery == 0)
            .Select(frame =>
                Html.Figure(
                    frame,
                    $"frame {frame.Index + 1} of the interpolation",
                    string.Create(CultureInfo.InvariantCulture, $"t = {frame.T:F2}")
                )
            );
        var animation = Html.Figure(
            "image/webp",
            FrameFiles.EncodeWebp(result.Blend.Pictures, DemoScript.FramesPerSecond),
            "animation of the interpolation",
            "there and back",
            pixelated: true
        );
        return $"""
            <section id="between">
            <h2>Between the two</h2>
            <p>Along the great circle (slerp) from {Html.Text(accepted.FromConcept)} to {Html.Text(
                accepted.ToConcept
            )}, as
            DTI learnt them, whose directions are {angles} apart. All images are from seed {result.Blend.Settings.Seed}. The
            animation shows {accepted.Frames} of them, the strip every third.</p>
            <div class="between">
            {animation}<div class="strip">
            {string.Concat(frames)}</div>
            </div>
            {Html.Commands(commands.Interpolate(result.Plan.Blend))}</section>

            """;
    }

    private string Scope()
    {
        var domain = result
            .Duels.SelectMany(duel => duel.Dti.Warnings)
            .FirstOrDefault(warning => warning.Code == "MODEL_DOMAIN");
        var (dti, ti) = (result.Duels[0].Dti.Accepted.Settings, result.Duels[0].Ti.Accepted.Settings);
        var schedule = SettingsTable.Word(dti.LearningRateSchedule);
        var ofDti = string.Create(
            CultureInfo.InvariantCulture,
            $"learning rate {dti.LearningRate}, schedule {schedule}, κ {dti.Kappa}"
        );
        var ofTi = string.Create(CultureInfo.InvariantCulture, $"AdamW at {ti.LearningRate}");
        return $"""
            <section id="scope">
            <h2>What this page shows, and what it does not</h2>
            <ul>
            {TooShort()}<li>It shows two designs that the model was never trained on and has no name for, learnt from five images
            each, and how much room each concept leaves for the rest of a prompt. Training starts at the word of the design’s
            family and is told nothing else about it.</li>
            <li>The images to learn from are drawings that this project renders, in the same world as the model’s own training
            images. They are not photographs. {Html.Text(domain?.Message ?? "")}</li>
            <li>DTI has the model’s default {ofDti}. TI has the effective learning rate of its official launcher
            ({ofTi}). At other rates the difference is another one.</li>
            <li>The two designs and their prompts were chosen because they show the difference, as <code>bench/demo.md</code>
            says: prompts that change a design separate the methods, the others hardly do. They illustrate and do not measure.
            <code>docs/dti-mini.md</code> has measurements over more designs, and <code>dti compare</code> makes them with a
            model and photos of your own.</li>
            </ul>
            </section>

            """;
    }

    private string TooShort()
    {
        var steps = result.Duels[0].Plan.Dti.Training.Steps;
        return steps < DemoScript.Full.Steps
            ? $"<li><strong>The trainings were too short to learn anything:</strong> they had {steps} steps instead of {DemoScript.Full.Steps}.</li>\n"
            : "";
    }

    private string Settings()
    {
        var accepted = result.Blend.Interpolation!;
        IReadOnlyList<(string, string)> blend =
        [
            ("from_concept", accepted.FromConcept),
            ("to_concept", accepted.ToConcept),
            ("frames", $"{accepted.Frames}"),
            ("easing", SettingsTable.Word(accepted.Easing)),
            .. SettingsTable.Of(accepted.Settings).Where(setting => setting.Name != "num_images"),
        ];
        (string Name, TrainingOutcome Outcome)[] trainings =
        [
            .. result.Duels.SelectMany(duel => new[] { (duel.Plan.Dti.Name, duel.Dti), (duel.Plan.Ti.Name, duel.Ti) }),
        ];
        var image = SettingsTable
            .Of(result.Duels[0].Prompts[0].Dti[0].Settings)
            .Where(setting => setting.Name is not ("prompt" or "seed"));
        var trained = Html.Table(
            [.. trainings.Select(training => training.Name)],
            [.. trainings.Select(training => SettingsTable.Of(training.Outcome.Accepted.Settings).ToList())]
        );
        return $"""
            <section id="settings">
            <details>
            <summary>Every setting used</summary>
            <h3>Training</h3>
            {trained}<h3>Generation</h3>
            {Html.Table(["each image", "between"], [image.ToList(), blend])}</details>
            </section>
            """;
    }
}
