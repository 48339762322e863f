using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;

namespace Dti.Studio.Tests;

/// <summary>Each page for everybody: an audit by axe, and a narrow screen.</summary>
public class AccessibilityTests(StudioFixture studio)
{
    /// <summary>Places of the page, and what is there when they are complete.</summary>
    private static readonly (string Place, string Content)[] _places =
    [
        ("train", ".drop"),
        ("generate", ".prompt"),
        ("blend", "select"),
        ("concepts", ".card img"),
        ($"concepts/{StudioFixture.First}", ".nearest"),
        ("jobs", ".jobs"),
        ("jobs/JOB", ".curve canvas"),
        ("models", ".models"),
    ];

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public async Task Pages_InAColourScheme_HaveNoSeriousProblem(ColorScheme scheme)
    {
        await using var tab = await studio.OpenAsync(scheme: scheme, audited: true);
        // Between the schemes, only colours differ.
        var rules =
            scheme == ColorScheme.Light
                ? new AxeRunOptions()
                : new AxeRunOptions
                {
                    RunOnly = new() { Type = "rule", Values = ["color-contrast"] },
                };
        var found = new List<string>();
        await foreach (var place in PlacesAsync(tab))
        {
            var audit = await tab.Page.RunAxe(rules);
            Assert.NotEmpty(audit.Passes);
            found.AddRange(
                audit
                    .Violations.Where(violation => violation.Impact is "serious" or "critical")
                    .Select(violation =>
                        $"{place}: {violation.Help}: {string.Join(" | ", violation.Nodes.Select(node => node.Html))}"
                    )
            );
        }

        Assert.Empty(found);
    }

    [Fact]
    public async Task Pages_400PixelsWide_DoNotScrollSideways()
    {
        await using var tab = await studio.OpenAsync(width: 400);
        var wide = new List<string>();
        await foreach (var place in PlacesAsync(tab))
        {
            var width = await tab.Page.EvaluateAsync<int>("document.documentElement.scrollWidth");
            if (width > 400)
            {
                wide.Add($"{place}: {width} pixels");
            }
        }

        Assert.Empty(wide);
    }

    private async IAsyncEnumerable<string> PlacesAsync(StudioTab tab)
    {
        var jobs = await studio.Server.Client.ListJobsAsync();
        foreach (var (place, content) in _places)
        {
            await tab.GoAsync(place.Replace("JOB", jobs[^1].JobId, StringComparison.Ordinal));
            await tab.Page.Locator(content).First.WaitForAsync();
            yield return place;
        }
    }
}
