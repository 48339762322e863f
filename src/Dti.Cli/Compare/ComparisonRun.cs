using System.Globalization;
using Dti.Cli.Files;
using Dti.Cli.Output;
using Dti.Cli.Work;
using Dti.ClientSdk;
using Dti.Engine.Imaging;
using ScottPlot;

namespace Dti.Cli.Compare;

/// <summary>
/// Trains, draws and judges what a comparison asks for and a folder does not hold yet: <c>concepts</c>,
/// <c>images</c>, <c>results.csv</c>, <c>summary.md</c>, <c>scores.png</c>. The library is left as it was.
/// </summary>
internal sealed class ComparisonRun(
    Comparison comparison,
    string folder,
    DtiClient client,
    Judgement judges,
    IOutput output
)
{
    private readonly ComparisonResults _results = new(Path.Combine(folder, "results.csv"));

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.Combine(folder, "concepts"));
        var known = _results.Read();
        var left = comparison
            .Methods.SelectMany(_ => comparison.Subjects, (method, subject) => (method, subject))
            .SelectMany(_ => comparison.Seeds, (pair, seed) => (pair.method, pair.subject, seed))
            .Where(run =>
                !known.Any(done =>
                    (done.Method, done.Subject, done.Seed) == (run.method.Name, run.subject.Name, run.seed)
                )
            )
            .ToList();
        output.Line(
            $"{left.Count} of {comparison.Methods.Count * comparison.Subjects.Count * comparison.Seeds.Count} trainings are left to do."
        );
        var start = TimeProvider.System.GetTimestamp();
        foreach (var (i, (method, subject, seed)) in left.Index())
        {
            output.Line(
                $"{i + 1}/{left.Count}: {method.Name}, {subject.Name}, seed {seed}"
                    + TimeLeft(i, left.Count, TimeProvider.System.GetElapsedTime(start))
            );
            var run = await JudgeAsync(method, subject, seed, cancellationToken).ConfigureAwait(false);
            _results.Add(run);
            output.Event("run", run);
            output.Line(
                string.Join(
                    ", ",
                    run.Values.Select(value =>
                        string.Create(CultureInfo.InvariantCulture, $"{value.Key} {value.Value:F3}")
                    )
                )
            );
        }

        await SummariseAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>What is left when some trainings are done, as they took; nothing is known before the first.</summary>
    internal static string TimeLeft(int done, int all, TimeSpan elapsed) =>
        done == 0 ? "" : $", about {Numbers.Duration(elapsed / done * (all - done))} left";

    private async Task<ComparedRun> JudgeAsync(
        ComparedMethod method,
        ComparedSubject subject,
        ulong seed,
        CancellationToken cancellationToken
    )
    {
        var name = Name(method, subject, seed);
        var photos = await PhotoFiles
            .ReadAsync(subject.Photos, CaptionFiles.Use, null, output, cancellationToken)
            .ConfigureAwait(false);
        var file = Path.Combine(folder, "concepts", name + ".safetensors");
        if (File.Exists(file))
            await client
                .ImportConceptAsync(
                    name,
                    await File.ReadAllBytesAsync(file, cancellationToken).ConfigureAwait(false),
                    overwrite: true,
                    cancellationToken: cancellationToken
                )
                .ConfigureAwait(false);
        else
            await LearnAsync(name, photos, method, subject, seed, file, cancellationToken).ConfigureAwait(false);

        try
        {
            var (pictures, prompts) = (new List<RgbImage>(), new List<string>());
            foreach (var (number, prompt) in comparison.Prompts.Index())
            {
                var drawn = await GenerateImagesAsync(name, prompt, number, cancellationToken).ConfigureAwait(false);
                pictures.AddRange(drawn.Select(picture => ImageCodec.Decode(picture.Data.Span, prompt)));
                prompts.AddRange(
                    drawn.Select(_ => prompt.Replace("{concept}", subject.Word, StringComparison.Ordinal))
                );
            }

            var scores = judges.Score(
                pictures,
                prompts,
                [.. photos.Select(photo => ImageCodec.Decode(photo.Data.Span, photo.FileName))]
            );
            scores["norm"] = (
                await client.GetConceptAsync(name, cancellationToken).ConfigureAwait(false)
            ).Norms.Average();
            return new ComparedRun(method.Name, subject.Name, seed, scores);
        }
        finally
        {
            await client.DeleteConceptAsync(name, CancellationToken.None).ConfigureAwait(false);
        }
    }

    private async Task LearnAsync(
        string name,
        IReadOnlyList<Photo> photos,
        ComparedMethod method,
        ComparedSubject subject,
        ulong seed,
        string file,
        CancellationToken cancellationToken
    )
    {
        var training = method.Training with
        {
            Initializer = method.Training.Initializer ?? subject.Word,
            Seed = seed,
            PreviewEvery = method.Training.PreviewEvery ?? 0,
        };
        await new TrainingRun(client, output)
            .RunAsync(
                new TrainRequest
                {
                    Name = name,
                    Photos = photos,
                    Options = training,
                    Overwrite = true,
                    RequestId = Guid.NewGuid().ToString("N"),
                },
                cancellationToken
            )
            .ConfigureAwait(false);
        var exported = await client
            .ExportConceptAsync(name, ConceptFormat.Diffusers, cancellationToken)
            .ConfigureAwait(false);
        await SafeFile.WriteAsync(file, exported.Data, overwrite: true, cancellationToken).ConfigureAwait(false);
    }

    private async Task<IReadOnlyList<Picture>> GenerateImagesAsync(
        string name,
        string prompt,
        int number,
        CancellationToken cancellationToken
    )
    {
        var options = comparison.Drawing with
        {
            Prompt = prompt.Replace("{concept}", $"<{name}>", StringComparison.Ordinal),
            Seed = comparison.Drawing.Seed ?? 1,
            ImageCount = comparison.PicturesPerPrompt,
            Format = PictureFormat.Png,
        };
        var run = new GenerationRun(output)
        {
            Canceller = client,
            WriteAsync = async (picture, token) =>
            {
                var path = Path.Combine(folder, "pictures", name, ImageName(number, picture.Index));
                await SafeFile.WriteAsync(path, picture.Data, overwrite: true, token).ConfigureAwait(false);
                return path;
            },
        };
        return (
            await run.RunAsync(prompt, client.GenerateAsync(options, null, cancellationToken), cancellationToken)
                .ConfigureAwait(false)
        ).Pictures;
    }

    /// <summary>A table of means with their 95 % intervals over trainings, and text against image score.</summary>
    private async Task SummariseAsync(CancellationToken cancellationToken)
    {
        var runs = _results.Read();
        string[] columns = [.. runs[0].Values.Keys];
        var methods = comparison
            .Methods.Select(method => method.Name)
            .Where(name => runs.Any(run => run.Method == name))
            .ToList();
        var rows = methods
            .Select(name =>
                (IReadOnlyList<string>)
                    [
                        name,
                        $"{runs.Count(run => run.Method == name)}",
                        .. columns.Select(column =>
                            MeanInterval
                                .Of([.. runs.Where(run => run.Method == name).Select(run => run.Values[column])])
                                .ToString()
                        ),
                    ]
            )
            .ToList();
        output.Table(["METHOD", "RUNS", .. columns.Select(column => column.ToUpperInvariant())], rows);
        var table = string.Join(
            '\n',
            [
                $"| method | runs | {string.Join(" | ", columns)} |",
                $"|---|---|{string.Concat(columns.Select(_ => "---|"))}",
                .. rows.Select(row => $"| {string.Join(" | ", row)} |"),
            ]
        );
        await SafeFile
            .WriteAsync(
                Path.Combine(folder, "summary.md"),
                System.Text.Encoding.UTF8.GetBytes(table + "\n"),
                overwrite: true,
                cancellationToken
            )
            .ConfigureAwait(false);
        if (
            columns.FirstOrDefault(column => column.EndsWith("text", StringComparison.Ordinal)) is { } text
            && columns.FirstOrDefault(column => column.EndsWith("image", StringComparison.Ordinal)) is { } image
        )
        {
            await SafeFile
                .WriteAsync(
                    Path.Combine(folder, "scores.png"),
                    Plot(runs, methods, text, image),
                    overwrite: true,
                    cancellationToken
                )
                .ConfigureAwait(false);
        }

        await WriteSheetAsync(cancellationToken).ConfigureAwait(false);
        output.Line($"Table, plot, sheet, images and concepts are in {folder}.");
    }

    /// <summary>A photo and an image of each prompt, in a row for each subject and method, of the first seed.</summary>
    private async Task WriteSheetAsync(CancellationToken cancellationToken)
    {
        var rows = new List<SheetRow>();
        foreach (var subject in comparison.Subjects)
        {
            var photo = PhotoFiles.Find(subject.Photos)[0];
            foreach (var method in comparison.Methods)
            {
                var images = Path.Combine(folder, "pictures", Name(method, subject, comparison.Seeds[0]));
                rows.Add(
                    new SheetRow(
                        $"{subject.Name} {method.Name}",
                        [
                            await File.ReadAllBytesAsync(photo, cancellationToken).ConfigureAwait(false),
                            .. comparison.Prompts.Select((_, number) => ReadImage(images, number)),
                        ]
                    )
                );
            }
        }

        var path = Path.Combine(folder, "sheet.png");
        await SafeFile
            .WriteAsync(
                path,
                ComparisonSheet.Draw(["photo", .. comparison.Prompts], rows),
                overwrite: true,
                cancellationToken
            )
            .ConfigureAwait(false);
        output.Event("sheet", new { path });

        static byte[]? ReadImage(string images, int number) =>
            Path.Combine(images, ImageName(number, 0)) is var path && File.Exists(path)
                ? File.ReadAllBytes(path)
                : null;
    }

    private static string Name(ComparedMethod method, ComparedSubject subject, ulong seed) =>
        string.Create(CultureInfo.InvariantCulture, $"cmp-{method.Name}-{subject.Name}-{seed}");

    private static string ImageName(int prompt, int index) =>
        string.Create(CultureInfo.InvariantCulture, $"{prompt + 1:D2}-{index + 1}.png");

    private static byte[] Plot(IReadOnlyList<ComparedRun> runs, IEnumerable<string> methods, string text, string image)
    {
        var plot = new Plot();
        plot.XLabel($"{image} score: likeness to the photos");
        plot.YLabel($"{text} score: obedience to the prompt");
        foreach (var (index, method) in methods.Index())
        {
            var (x, y) = (Of(image), Of(text));
            var (meanX, meanY) = (MeanInterval.Of(x), MeanInterval.Of(y));
            var each = plot.Add.ScatterPoints(x, y);
            each.MarkerSize = 4;
            each.Color = plot.Add.Palette.GetColor(index).WithAlpha(0.4);
            var mean = plot.Add.ScatterPoints(new[] { meanX.Mean }, new[] { meanY.Mean });
            (mean.MarkerSize, mean.Color, mean.LegendText) = (11, each.Color.WithAlpha(1.0), method);
            if (!double.IsNaN(meanX.Half))
            {
                plot.Add.Plottable(
                    new ScottPlot.Plottables.ErrorBar(
                        [meanX.Mean],
                        [meanY.Mean],
                        [meanX.Half],
                        [meanX.Half],
                        [meanY.Half],
                        [meanY.Half]
                    )
                    {
                        Color = mean.Color,
                    }
                );
            }

            double[] Of(string column) =>
                [.. runs.Where(run => run.Method == method).Select(run => run.Values[column])];
        }

        plot.ShowLegend(Edge.Right);
        Dti.Server.Jobs.PlotFont.Apply(plot);
        return plot.GetImageBytes(820, 520, ScottPlot.ImageFormat.Png);
    }
}
