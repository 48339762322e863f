using System.Text.RegularExpressions;
using Dti.ClientSdk;
using Dti.Tests;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Dti.Studio.Tests;

/// <summary>Jobs on the page, also those that other programs have started.</summary>
public class JobTests(StudioFixture studio)
{
    [Fact]
    public async Task Jobs_TrainingOfAnotherProgram_IsWatchedAndCancelled()
    {
        await using var tab = await studio.OpenAsync(place: "jobs");
        var page = tab.Page;
        var jobId = await studio.Server.StartTrainingAsync("crowned-creature", steps: 10_000);

        await page.GetByRole(AriaRole.Link, new() { Name = "Training of crowned-creature" }).ClickAsync();
        await Expect(page.Locator(".progress-line strong").First).ToHaveTextAsync(new Regex(@"^Step \d+ of 10000$"));
        await tab.Button("Cancel training").ClickAsync();

        await Expect(page.Locator(".progress-line strong").First).ToHaveTextAsync("Stopped.");
        await Expect(page.GetByText($"Job {jobId} was cancelled.")).ToBeVisibleAsync();
        Assert.Equal(JobState.Cancelled, (await studio.Server.Client.GetJobAsync(jobId)).State);
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Continue this training" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Watch_ConnectionIsCut_ContinuesWithoutAGap()
    {
        await using var proxy = new CuttingProxy(studio.Server.Page);
        var jobId = await studio.Server.StartTrainingAsync("eared-robot", steps: 10_000);
        await using var tab = await studio.OpenAsync(new Uri(proxy.Address, "/"), $"jobs/{jobId}");
        await Expect(tab.Page.GetByText(" left")).ToBeVisibleAsync();
        var before = (await studio.Server.Client.GetJobAsync(jobId)).Step;

        proxy.Cut();

        await tab.Page.WaitForFunctionAsync(
            "step => Number(/Step (\\d+)/.exec(document.querySelector('.progress-line strong').textContent)?.[1]) > step",
            before + 3
        );
        await tab.Button("Cancel training").ClickAsync();
        await Expect(tab.Page.Locator(".progress-line strong").First).ToHaveTextAsync("Stopped.");
        var steps = (await studio.Server.Client.GetJobAsync(jobId)).Step;
        await Expect(tab.Page.GetByRole(AriaRole.Img, new() { NameRegex = new($"^Loss: .* in {steps} steps$") }))
            .ToBeVisibleAsync();
    }

    [Fact]
    public async Task Resume_FinishedTraining_GoesOnToMoreSteps()
    {
        await using var tab = await studio.OpenAsync(place: "jobs");
        var page = tab.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = $"Training of {StudioFixture.First}" }).Last.ClickAsync();
        var steps = Shots.Number(1, 100) + 2;
        await tab.Field("Up to step").FillAsync($"{steps}");
        await tab.Button("Continue").ClickAsync();

        await Expect(page.GetByText($"{steps} of {steps} steps.")).ToBeVisibleAsync();
    }
}
