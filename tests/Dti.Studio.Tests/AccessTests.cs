using Dti.Server.Security;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace Dti.Studio.Tests;

/// <summary>The page of a server that requires a token.</summary>
public class AccessTests(StudioFixture studio)
{
    [Fact]
    public async Task Token_WrongThenRight_IsAskedForAndKeptInTheTabAlone()
    {
        var secret = AccessTokens.NewSecret();
        await using var server = StudioServer.Start(secret);
        await using var tab = await studio.OpenAsync(server.Page, "models");
        var dialog = tab.Page.GetByRole(AriaRole.Dialog, new() { Name = "Access token" });
        await tab.Field("Token").FillAsync("dti_wrong");
        await tab.Button("Use token").ClickAsync();
        await Expect(dialog).ToBeVisibleAsync(); // again

        await tab.Field("Token").FillAsync(secret);
        await tab.Button("Use token").ClickAsync();

        await Expect(dialog).ToBeHiddenAsync();
        await Expect(tab.Page.GetByRole(AriaRole.Heading, new() { Name = "dti-mini" })).ToBeVisibleAsync();
        Assert.Equal(secret, await tab.Page.EvaluateAsync<string>("Object.values({ ...sessionStorage }).join()"));
        Assert.Equal(0, await tab.Page.EvaluateAsync<int>("localStorage.length"));
        Assert.Equal("", await tab.Page.EvaluateAsync<string>("document.cookie"));
    }
}
