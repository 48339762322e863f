using System.Text.RegularExpressions;
using Dti.Cli.Demo;
using SkiaSharp;

namespace Dti.Cli.Tests;

/// <summary>One short run of the demo, for all tests of its page.</summary>
public sealed class DemoFixture(ServeFixture server) : IAsyncLifetime
{
    internal string Folder { get; } = server.NewFolder();

    internal DtiResult Result { get; private set; } = null!;

    internal string Page { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Result = await DtiProcess.RunAsync(Folder, "demo", "--fast", "--steps", "2", "--seed", "7", "--json");
        Assert.Equal((ExitCode.Ok, ""), (Result.ExitCode, Result.Error));
        Page = await File.ReadAllTextAsync(
            Result.Event("page").GetProperty("path").GetString()!,
            TestContext.Current.CancellationToken
        );
    }

    public ValueTask DisposeAsync() => default;
}

public partial class DemoTests(ServeFixture server, DemoFixture demo) : IClassFixture<DemoFixture>
{
    [Fact]
    public void Demo_Quick_WritesOneSelfContainedPage()
    {
        Assert.Equal(
            Path.Combine(demo.Folder, "dti-demo", "index.html"),
            demo.Result.Event("page").GetProperty("path").GetString()
        );
        Assert.Equal(10, Count("<img alt=\"\\d\\.jpg\"")); // photos
        Assert.Equal(4, Count("after \\d steps")); // previews of the two trainings by DTI
        Assert.Equal(2, Count("frame \\d of the interpolation")); // the first and the last of four
        Assert.Equal(6, Count("<svg "));
        Assert.Equal(2, Count("<table>"));
        foreach (
            var setting in new[]
            {
                "learning_rate",
                "kappa",
                "magnitude_value",
                "guidance_scale",
                "scheduler",
                "easing",
            }
        )
            Assert.Contains($">{setting}<", demo.Page, StringComparison.Ordinal);
    }

    [Fact]
    public void Demo_Page_ComparesBothMethodsAtTheirRatesOnBothSubjects()
    {
        var (first, second) = (DemoScript.Subjects[0].Name, DemoScript.Subjects[1].Name);

        foreach (
            var command in new[]
            {
                $"train {first}",
                $"train {first}-ti",
                $"train {second}",
                $"train {second}-ti",
                "--method ti",
                "generate",
                $"interpolate {first} {second}",
            }
        )
            Assert.Contains(command, demo.Page, StringComparison.Ordinal);
        foreach (var value in new[] { "dti", "ti", "0.02", "cosine" })
            Assert.Equal(2, Count($"<td>{Regex.Escape(value)}</td>"));
        var prompts = DemoScript.Subjects.Sum(subject => subject.Prompts.Count);
        for (var seed = 7; seed < 7 + DemoScript.Fast.Seeds; seed++)
            Assert.Equal(2 * prompts, Count($"<span class=\"seed\">seed {seed}</span>"));
    }

    [Fact]
    public void Demo_Animation_ShowsEveryFrameThereAndBack()
    {
        var data = Regex.Match(
            demo.Page,
            "<img alt=\"animation of the interpolation\"[^>]*src=\"data:image/webp;base64,([^\"]+)\""
        );

        using var animation = SKCodec.Create(new MemoryStream(Convert.FromBase64String(data.Groups[1].Value)));

        Assert.Equal((2 * DemoScript.Fast.Frames) - 2, animation.FrameCount);
        Assert.Equal((128, 128), (animation.Info.Width, animation.Info.Height));
    }

    [Fact]
    public async Task Demo_Page_EachImageIsThatOfTheSeedBelowIt()
    {
        var subject = DemoScript.Subjects[0];
        var prompt = subject.Prompts[^1].Replace("{concept}", $"<{subject.Name}>", StringComparison.Ordinal);

        var again = await DtiProcess.RunAsync(
            demo.Folder,
            "generate",
            prompt,
            "--seed",
            "8",
            "--steps",
            $"{DemoScript.Fast.SamplingSteps}",
            "--guidance",
            $"{DemoScript.Guidance}",
            "--scheduler",
            DemoScript.Scheduler,
            "-o",
            "again.png",
            "--data",
            "dti-demo/library"
        );

        Assert.Equal((ExitCode.Ok, ""), (again.ExitCode, again.Error));
        var image = Convert.ToBase64String(
            await File.ReadAllBytesAsync(Path.Combine(demo.Folder, "again.png"), TestContext.Current.CancellationToken)
        );
        Assert.Contains(
            $"{image}\"><figcaption><span class=\"seed\">seed 8</span>",
            demo.Page,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Demo_Page_SaysWhatTheModelKnows()
    {
        Assert.Contains("dti-mini knows only its drawn world", demo.Page, StringComparison.Ordinal);
        Assert.DoesNotContain(demo.Result.EventsOf("warning"), warning =>
            warning.GetProperty("code").GetString() == "MODEL_DOMAIN"
        );
    }

    [Fact]
    public void Demo_Fast_SaysThatItIsTooShort() =>
        Assert.Contains($"they had 2 steps instead of {DemoScript.Full.Steps}", demo.Page, StringComparison.Ordinal);

    [Fact]
    public void Demo_Page_AsksForNothingFromElsewhere()
    {
        Assert.DoesNotContain("://", demo.Page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", demo.Page, StringComparison.Ordinal);
        Assert.DoesNotContain("<link", demo.Page, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", demo.Page, StringComparison.Ordinal);
        Assert.All(Source().Matches(demo.Page), source =>
            Assert.StartsWith("data:image/", source.Groups[1].Value, StringComparison.Ordinal)
        );
    }

    [Theory]
    [InlineData(7, "7 s")]
    [InlineData(59.9, "59 s")]
    [InlineData(97.4, "1 min 37 s")]
    [InlineData(180, "3 min 0 s")]
    public void Clock_Time_IsMinutesAndSeconds(double seconds, string text) =>
        Assert.Equal(text, DemoPage.Clock(TimeSpan.FromSeconds(seconds)));

    [Fact]
    public async Task Demo_FolderWithAnotherPage_LeavesItAlone()
    {
        var folder = server.NewFolder();
        var page = Path.Combine(folder, "index.html");
        await File.WriteAllTextAsync(page, "<title>mine</title>", TestContext.Current.CancellationToken);

        var result = await DtiProcess.RunAsync(folder, "demo", "-o", ".");

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Equal("<title>mine</title>", await File.ReadAllTextAsync(page, TestContext.Current.CancellationToken));
    }

    private int Count(string pattern) => Regex.Count(demo.Page, pattern);

    [GeneratedRegex("src=\"([^\"]{0,40})")]
    private static partial Regex Source();
}
