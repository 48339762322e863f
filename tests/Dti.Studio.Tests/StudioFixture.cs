using System.Collections.Concurrent;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Dti.Studio.Tests.StudioFixture))]
// All tests share one device and two cores.
[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Dti.Studio.Tests;

/// <summary>
/// A browser, and a server whose library has two concepts. Without Chromium, tests that ask for either are skipped.
/// </summary>
public sealed class StudioFixture : IAsyncLifetime
{
    /// <summary>The concepts of the library.</summary>
    public const string First = "star-castle";

    /// <inheritdoc cref="First"/>
    public const string Second = "melon-bird";

    private static readonly string[] _programs = ["chromium", "chromium-browser", "google-chrome"];
    private IPlaywright? _playwright;
    private IBrowser? _browser;
    private StudioServer? _server;

    internal StudioServer Server => _server!;

    public async ValueTask InitializeAsync()
    {
        if (FindChromium() is not { } chromium)
        {
            return;
        }

        Assertions.SetDefaultExpectTimeout(Shots.Number(30_000, 600_000));
        _server = StudioServer.Start();
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(
            new()
            {
                ExecutablePath = chromium,
                Args = ["--no-sandbox"], // which root's processes cannot have
            }
        );
        await _server.TrainAsync(First, Shots.Number(1, 100));
        await _server.TrainAsync(Second, Shots.Number(1, 100));
    }

    /// <summary>Opens a page of a server. What the browser reports as an error fails the test in the end.</summary>
    internal async Task<StudioTab> OpenAsync(
        Uri? address = null,
        string place = "",
        int width = 1280,
        ColorScheme scheme = ColorScheme.Light,
        bool audited = false
    )
    {
        Assert.SkipWhen(_browser is null, "needs Chromium, install with apt-get install chromium");
        var context = await _browser.NewContextAsync(
            new()
            {
                ViewportSize = new() { Width = width, Height = 900 },
                ColorScheme = scheme,
                AcceptDownloads = true,
                BypassCSP = audited, // the page's policy does not admit the program that audits it
            }
        );
        var page = await context.NewPageAsync();
        page.SetDefaultTimeout(Shots.Number(60_000, 600_000));
        var errors = new ConcurrentQueue<string>();
        page.PageError += (_, error) => errors.Enqueue(error);
        page.Console += (_, message) =>
        {
            // A refused call is the server's answer, which the page shows.
            if (
                message.Type == "error"
                && !message.Text.Contains("Failed to load resource", StringComparison.Ordinal)
                && !message.Text.Contains("net::ERR", StringComparison.Ordinal)
            )
            {
                errors.Enqueue(message.Text);
            }
        };
        await page.GotoAsync($"{address ?? Server.Page}#/{place}");
        return new StudioTab(context, page, errors);
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.CloseAsync();
        }

        _playwright?.Dispose();
        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    private static string? FindChromium() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "")
            .Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .SelectMany(folder => _programs.Select(program => Path.Combine(folder, program)))
            .FirstOrDefault(File.Exists);
}

/// <summary>A tab of the browser, with storage of its own.</summary>
internal sealed class StudioTab(IBrowserContext context, IPage page, ConcurrentQueue<string> errors) : IAsyncDisposable
{
    public IPage Page => page;

    /// <summary>Goes to another place of the page, as its links do.</summary>
    public Task GoAsync(string place) => page.EvaluateAsync("place => { location.hash = '#/' + place; }", place);

    public ILocator Button(string name) => page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    public ILocator Field(string label) => page.GetByLabel(label, new() { Exact = true });

    public async ValueTask DisposeAsync()
    {
        await context.CloseAsync();
        Assert.True(errors.IsEmpty, "The browser reported: " + string.Join('\n', errors));
    }
}
