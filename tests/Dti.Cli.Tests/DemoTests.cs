using System.Text.RegularExpressions;

namespace Dti.Cli.Tests;

public partial class DemoTests(ServeFixture server)
{
    [Fact]
    public async Task Demo_Quick_WritesOneSelfContainedPage()
    {
        var folder = server.NewFolder();

        var result = await DtiProcess.RunAsync(folder, "demo", "--steps", "2", "--sampling-steps", "1", "--json");

        Assert.Equal((ExitCode.Ok, ""), (result.ExitCode, result.Error));
        var path = result.Event("page").GetProperty("path").GetString()!;
        Assert.Equal(Path.Combine(folder, "dti-demo", "index.html"), path);
        var page = await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(10, Count(page, "<img alt=\"\\d\\.jpg\"")); // photos
        Assert.Equal(4, Count(page, "after \\d steps")); // previews
        Assert.Equal((2 * 4) + (3 * 2 * 4), Count(page, "<span class=\"seed\">seed \\d</span>")); // two concepts alone; three prompts, both ways
        Assert.Equal(8, Count(page, "frame \\d of the interpolation"));
        Assert.Equal(5, Count(page, "<svg "));
        Assert.Equal(2, Count(page, "<table>"));
        foreach (var command in new[] { "train crested-teapot", "train horned-creature", "train crested-teapot-ti", "--method ti", "generate", "interpolate crested-teapot horned-creature" })
            Assert.Contains(command, page, StringComparison.Ordinal);
        foreach (var method in new[] { "dti", "ti" })
            Assert.Matches($"<td>{method}</td>", page);
        foreach (var setting in new[] { "learning_rate", "kappa", "magnitude_value", "guidance_scale", "scheduler", "easing" })
            Assert.Contains($">{setting}<", page, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Demo_Page_AsksForNothingFromElsewhere()
    {
        var folder = server.NewFolder();

        var result = await DtiProcess.RunAsync(folder, "demo", "-o", "page", "--steps", "1", "--sampling-steps", "1", "--json");

        var page = await File.ReadAllTextAsync(result.Event("page").GetProperty("path").GetString()!, TestContext.Current.CancellationToken);
        Assert.DoesNotContain("://", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<link", page, StringComparison.Ordinal);
        Assert.DoesNotContain("url(", page, StringComparison.Ordinal);
        Assert.All(Source().Matches(page), source => Assert.StartsWith("data:image/", source.Groups[1].Value, StringComparison.Ordinal));
    }

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

    private static int Count(string page, string pattern) => Regex.Count(page, pattern);

    [GeneratedRegex("src=\"([^\"]{0,40})")]
    private static partial Regex Source();
}
