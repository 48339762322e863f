using Dti.Cli.Output;

namespace Dti.Cli.Tests;

/// <summary>Bars and warnings on one terminal.</summary>
public class ConsoleOutputTests
{
    private static readonly TimeSpan _afterARefresh = TimeSpan.FromMilliseconds(250);

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    public async Task Warning_WhileABarIsShown_KeepsItsWordsAndItsLines(int width)
    {
        var screen = new Screen(width);
        var output = new ConsoleOutput(screen.NewConsole(), screen.NewConsole());
        var words = string.Join(' ', Enumerable.Range(0, 60).Select(number => $"word{number}"));

        await output.WithProgressAsync("my-cat", async meter =>
        {
            for (var step = 1; step <= 3; step++)
            {
                meter.Report(step, 3, "loss 0.1234, norm 0.387, angle 12.3°, 11.4 steps/s", TimeSpan.FromSeconds(7));
                await Task.Delay(_afterARefresh);
                output.Warning("CODE", $"{step} {words}.");
                await Task.Delay(_afterARefresh);
            }
        });
        output.Line("Learnt.");

        var text = string.Join(' ', screen.Lines.Select(line => line.Trim()).Where(line => line.Length > 0));
        foreach (var step in new[] { 1, 2, 3 })
            Assert.Contains($"warning: {step} {words}.", text, StringComparison.Ordinal);
        var bar = Assert.Single(screen.Lines, line => line.StartsWith("my-cat", StringComparison.Ordinal));
        Assert.Contains("3/3", bar, StringComparison.Ordinal);
        Assert.EndsWith(" Learnt.", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(120)]
    public async Task Bar_LongPrompt_StaysOnOneLine(int width)
    {
        var screen = new Screen(width);
        var output = new ConsoleOutput(screen.NewConsole(), screen.NewConsole());
        var prompt = "a photo of <my-cat>\n" + string.Join(' ', Enumerable.Repeat("in the snow", 20));

        await output.WithProgressAsync(prompt, async meter =>
        {
            for (var step = 1; step <= 3; step++)
            {
                meter.Report(step, 30, "steps", TimeSpan.FromSeconds(7));
                await Task.Delay(_afterARefresh);
                output.Line($"image out-{step}.png");
            }
        });

        string[] shown = [.. screen.Lines.Where(line => line.Length > 0)];
        Assert.Equal(["image out-1.png", "image out-2.png", "image out-3.png"], shown[..3]);
        Assert.Equal(4, shown.Length);
        Assert.StartsWith("a photo of <my-cat>", shown[3], StringComparison.Ordinal);
        Assert.Contains("3/30, 7.0 s left", shown[3], StringComparison.Ordinal);
    }
}
