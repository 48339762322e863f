using Dti.Cli.Compare;
using Dti.Tests;
using SkiaSharp;

namespace Dti.Cli.Tests;

public class CompareTests(ServeFixture server)
{
    private const string File = """
        subjects:
          box: { photos: photo.png, word: cat }
        training: --steps 2 --batch 1 --resolution 64
        methods:
          dti: ""
          ti: --method ti
        seeds: [1, 2]
        prompts:
          - a photo of {concept}
          - "{concept} in snow"
        pictures: 1
        drawing: --steps 1 --width 64 --height 64
        """;

    [Fact]
    public async Task Compare_GridOfTwoWaysAndSeeds_WritesResultsAndGoesOnWhereItWasCutOff()
    {
        var folder = Write(File);

        var first = await server.RunAsync(folder, "compare", "grid.yaml", "-o", "out", "--json");
        var results = await System.IO.File.ReadAllLinesAsync(
            Path.Combine(folder, "out", "results.csv"),
            TestContext.Current.CancellationToken
        );
        await System.IO.File.WriteAllLinesAsync(
            Path.Combine(folder, "out", "results.csv"),
            results[..^1],
            TestContext.Current.CancellationToken
        );
        var rest = await server.RunAsync(folder, "compare", "grid.yaml", "-o", "out", "--json");

        Assert.Equal((ExitCode.Ok, ""), (first.ExitCode, first.Error));
        Assert.Equal("method,subject,seed,text,image,norm", results[0]);
        Assert.Equal(
            ["dti,box,1", "dti,box,2", "ti,box,1", "ti,box,2"],
            results.Skip(1).Select(line => string.Join(',', line.Split(',').Take(3)))
        );
        Assert.Equal(ExitCode.Ok, rest.ExitCode);
        // its concept was there: nothing is trained
        Assert.DoesNotContain(rest.EventsOf("result"), result => result.TryGetProperty("angle_degrees", out _));
        Assert.Equal(
            results,
            await System.IO.File.ReadAllLinesAsync(
                Path.Combine(folder, "out", "results.csv"),
                TestContext.Current.CancellationToken
            )
        );
        Assert.Equal(4, Directory.GetFiles(Path.Combine(folder, "out", "concepts")).Length);
        Assert.Equal(
            8,
            Directory.GetFiles(Path.Combine(folder, "out", "pictures"), "*.png", SearchOption.AllDirectories).Length
        );
        Assert.Contains(
            "| ti | 2 |",
            await System.IO.File.ReadAllTextAsync(
                Path.Combine(folder, "out", "summary.md"),
                TestContext.Current.CancellationToken
            ),
            StringComparison.Ordinal
        );
        using var plot = SKBitmap.Decode(Path.Combine(folder, "out", "scores.png"));
        Assert.Equal((820, 520), (plot.Width, plot.Height));
        using var sheet = SKBitmap.Decode(Path.Combine(folder, "out", "sheet.png"));
        Assert.Equal((150 + (3 * 198), 74 + (2 * 198)), (sheet.Width, sheet.Height)); // a photo and two prompts, two methods
        Assert.NotEqual(SKColors.White, sheet.GetPixel(150 + 198 + 20, 74 + 198 + 20));
        Assert.DoesNotContain(
            "cmp-",
            (await server.RunAsync(folder, "concepts", "list")).Output,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("methods:\n  dti: --no-such 1\n", "--no-such")]
    [InlineData("methods:\n  dti: --steps many\n", "many")]
    [InlineData("methods: {}\n", "needs methods")]
    [InlineData("prompts: [a photo]\n", "{concept}")]
    [InlineData("promts: [a photo]\n", "'promts' is not known")]
    [InlineData("seeds: [one]\n", "not 'one'")]
    [InlineData("judges: no-such-judge\n", "no-such-judge")]
    [InlineData("subjects: [\n", "not valid YAML")]
    public async Task Compare_WrongFile_SaysWhatAndTrainsNothing(string lines, string expected)
    {
        var key = lines[..lines.IndexOf(':', StringComparison.Ordinal)];
        var blocks = System
            .Text.RegularExpressions.Regex.Split(File, @"(?m)^(?=\S)")
            .Where(block => block.Length > 0 && !block.StartsWith(key + ":", StringComparison.Ordinal));
        var folder = Write(string.Concat(blocks).TrimEnd() + "\n" + lines);

        var refused = await server.RunAsync(folder, "compare", "grid.yaml");

        Assert.NotEqual(ExitCode.Ok, refused.ExitCode);
        Assert.Contains(expected, refused.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(folder, "grid")));
    }

    [Theory]
    [InlineData(0, "")]
    [InlineData(1, ", about 3 min left")]
    [InlineData(3, ", about 20 s left")]
    public void TimeLeft_SomeRunsDone_IsWhatTheRestTakes(int done, string expected) =>
        Assert.Equal(expected, ComparisonRun.TimeLeft(done, 4, TimeSpan.FromMinutes(1)));

    [Fact]
    public void Of_KnownValues_GivesStudentsInterval()
    {
        var interval = MeanInterval.Of([1, 2, 3, 4, 5]);

        Assert.Equal(3, interval.Mean);
        Assert.Equal(2.776 * Math.Sqrt(2.5) / Math.Sqrt(5), interval.Half, 1e-9);
        Assert.Equal("3.000 ± 1.963", interval.ToString());
        Assert.Equal("7.000", MeanInterval.Of([7]).ToString());
        Assert.Equal("1.500", MeanInterval.Of([1, 2]).ToString());
    }

    [Fact]
    public void Read_ShippedExample_HasThePapersAblation()
    {
        var comparison = Comparison.Read(Path.Combine(Fixtures.Root, "..", "..", "examples", "ablation.yaml"));

        Assert.Equal(10, comparison.Methods.Count);
        Assert.Equal(0, comparison.Methods.Single(method => method.Name == "kappa-0").Training.Kappa);
        Assert.All(comparison.Methods, method => Assert.Equal(200, method.Training.Steps));
        Assert.All(comparison.Subjects, subject =>
            Assert.All(subject.Photos, folder => Assert.True(Directory.Exists(folder)))
        );
    }

    private string Write(string yaml)
    {
        var folder = server.NewFolder();
        System.IO.File.Copy(Fixtures.Common("preprocess_square.png"), Path.Combine(folder, "photo.png"));
        System.IO.File.WriteAllText(Path.Combine(folder, "grid.yaml"), yaml);
        return folder;
    }
}
