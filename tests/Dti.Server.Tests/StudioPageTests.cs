using System.Net;
using System.Text;
using Dti.Server.Configuration;
using Dti.Server.Security;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;

namespace Dti.Server.Tests;

/// <summary>Dti Studio as a browser loads it, and what pages of other sites can do to its server.</summary>
public class StudioPageTests
{
    private const string Stranger = "http://evil.example";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Get_Page_ComesWithAllItsFilesAndStrictHeaders()
    {
        await using var server = Start();
        using var http = Web(server);

        using var page = await http.GetAsync("", Cancellation);
        var html = await page.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal("text/html; charset=utf-8", $"{page.Content.Headers.ContentType}");
        var policy = page.Headers.GetValues("Content-Security-Policy").Single().Split("; ");
        Assert.Contains("default-src 'none'", policy);
        Assert.Contains("script-src 'self'", policy);
        Assert.Contains("style-src 'self'", policy);
        Assert.Contains("connect-src 'self'", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.DoesNotContain(policy, part => part.Contains("unsafe", StringComparison.Ordinal));
        Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("no-referrer", page.Headers.GetValues("Referrer-Policy").Single());
        Assert.Equal("DENY", page.Headers.GetValues("X-Frame-Options").Single());
        foreach (
            var (file, type) in new[]
            {
                ("studio.js", "text/javascript; charset=utf-8"),
                ("studio.css", "text/css; charset=utf-8"),
                ("icon.svg", "image/svg+xml"),
                ("licenses.txt", "text/plain; charset=utf-8"),
            }
        )
        {
            using var part = await http.GetAsync(file, Cancellation);
            Assert.Equal(HttpStatusCode.OK, part.StatusCode);
            Assert.Equal(type, $"{part.Content.Headers.ContentType}");
            Assert.Equal("nosniff", part.Headers.GetValues("X-Content-Type-Options").Single());
        }

        Assert.Contains("studio.js", html, StringComparison.Ordinal);
        Assert.Contains("studio.css", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<style", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("<script>", html, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("//", html, StringComparison.Ordinal); // nothing of another server
    }

    [Fact]
    public async Task Get_PageThatTheBrowserHas_IsNotSentAgain()
    {
        await using var server = Start();
        using var http = Web(server);
        using var first = await http.GetAsync("studio.js", Cancellation);
        using var request = new HttpRequestMessage(HttpMethod.Get, "studio.js");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        using var second = await http.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
    }

    [Fact]
    public async Task Get_PageOfAServerWithoutIt_IsNotFound()
    {
        await using var server = Start(options => options with { Studio = false });
        using var http = Web(server);

        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("", Cancellation)).StatusCode);
        Assert.Equal("", await StudioAddressAsync(server));
    }

    [Fact]
    public async Task ServerInfo_NamesTheAddressOfThePage()
    {
        await using var server = Start();

        Assert.Equal(server.WebAddress!.GetLeftPart(UriPartial.Authority), await StudioAddressAsync(server));
    }

    [Fact]
    public async Task Get_PageByAnotherName_IsRefused()
    {
        await using var server = Start();
        using var http = Web(server);
        using var request = new HttpRequestMessage(HttpMethod.Get, "");
        request.Headers.Host = "evil.example"; // a name that was made to lead here (DNS rebinding)

        Assert.Equal(HttpStatusCode.BadRequest, (await http.SendAsync(request, Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData("v1/concepts/toy/restore", "text/plain")]
    [InlineData("v1/concepts/toy/restore", "application/x-www-form-urlencoded")]
    [InlineData("v1/concepts/toy/restore", "application/json")]
    [InlineData("v1/jobs/some/cancel", null)]
    [InlineData("dti.v1.JobService/List", "application/grpc-web+proto")]
    public async Task Post_FromAnotherSite_IsRefusedWithoutAPreflight(string path, string? mediaType)
    {
        await using var server = Start();
        using var http = Web(server);
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        request.Content = new ByteArrayContent(Encoding.UTF8.GetBytes("{}"));
        if (mediaType is not null)
        {
            request.Content.Headers.TryAddWithoutValidation("Content-Type", mediaType);
        }

        request.Headers.Add("Origin", Stranger);

        using var response = await http.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Theory]
    [InlineData("null")] // a page without an origin of its own, such as a file or a frame in a sandbox
    [InlineData("http://127.0.0.1:1")] // another program of this machine
    [InlineData("https://127.0.0.1")]
    public async Task Delete_FromAPageThatIsNotTheServers_HasNoEffect(string origin)
    {
        await using var server = Start();
        using var http = Web(server);
        await server.TrainAsync(TestServer.Request("kept", steps: 1));
        using var request = new HttpRequestMessage(HttpMethod.Delete, "v1/concepts/kept");
        request.Headers.Add("Origin", origin);

        using var response = await http.SendAsync(request, Cancellation);

        Assert.Equal(HttpStatusCode.Forbidden, response.StatusCode);
        Assert.Single((await server.Concepts.ListAsync(new ConceptServiceListRequest())).Concepts);
    }

    [Theory]
    [InlineData("cross-site", "no-cors", "image", "v1/models", HttpStatusCode.Forbidden)]
    [InlineData("same-site", "no-cors", "script", "studio.js", HttpStatusCode.Forbidden)]
    [InlineData("cross-site", "navigate", "iframe", "", HttpStatusCode.Forbidden)]
    [InlineData("cross-site", "navigate", "document", "", HttpStatusCode.OK)]
    [InlineData("same-origin", "no-cors", "script", "studio.js", HttpStatusCode.OK)]
    [InlineData("none", "navigate", "document", "", HttpStatusCode.OK)]
    public async Task Get_WithoutOrigin_AnotherSiteMayOnlyLink(
        string site,
        string mode,
        string destination,
        string path,
        HttpStatusCode expected
    )
    {
        await using var server = Start();
        using var http = Web(server);
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.Add("Sec-Fetch-Site", site);
        request.Headers.Add("Sec-Fetch-Mode", mode);
        request.Headers.Add("Sec-Fetch-Dest", destination);

        Assert.Equal(expected, (await http.SendAsync(request, Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("http://localhost:3000")]
    public async Task Get_FromTheServersPageOrAnAllowedOne_IsAnswered(string? origin)
    {
        await using var server = Start(options => options with { WebOrigins = ["http://localhost:3000"] });
        using var http = Web(server);
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/models");
        request.Headers.Add("Origin", origin ?? server.WebAddress!.GetLeftPart(UriPartial.Authority));

        Assert.Equal(HttpStatusCode.OK, (await http.SendAsync(request, Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Get_PageOfAServerWithTokens_IsServedAndItsCallsAreRefused()
    {
        await using var server = Start(options =>
            options with
            {
                Security = new() { OwnerToken = AccessTokens.NewSecret() },
            }
        );
        using var http = Web(server);

        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("studio.js", Cancellation)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("v1/models", Cancellation)).StatusCode);
        using var call = new HttpRequestMessage(HttpMethod.Post, "dti.v1.ModelService/List");
        call.Content = new ByteArrayContent([0, 0, 0, 0, 0]);
        call.Content.Headers.TryAddWithoutValidation("Content-Type", "application/grpc-web+proto");
        using var refused = await http.SendAsync(call, Cancellation);
        Assert.Equal($"{(int)StatusCode.Unauthenticated}", refused.Headers.GetValues("grpc-status").Single());
    }

    private static async Task<string> StudioAddressAsync(TestServer server) =>
        (await server.Server.GetAsync(new ServerServiceGetRequest())).Server.StudioAddress;

    private static TestServer Start(Func<DtiServerOptions, DtiServerOptions>? change = null) =>
        TestServer.Start(options => (change?.Invoke(options) ?? options) with { WebPort = 0 });

    private static HttpClient Web(TestServer server) => new() { BaseAddress = server.WebAddress };
}
