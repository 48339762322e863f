using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Dti.Server.Configuration;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;

namespace Dti.Server.Tests;

/// <summary>The services by plain HTTP, as a browser or curl calls them.</summary>
public class WebApiTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Get_Models_ListsThemAsJson(bool http2)
    {
        await using var server = Start();
        using var http = http2 ? Http2(server) : Web(server);

        var models = await http.GetFromJsonAsync<JsonNode>("v1/models", Cancellation);

        Assert.Equal("tiny-sd15", (string?)models!["models"]![0]!["name"]);
    }

    [Fact]
    public async Task Post_Train_StreamsOneEventALine()
    {
        await using var server = Start();
        using var http = Web(server);

        var events = await LinesAsync(
            http,
            "v1/train",
            new
            {
                name = "json-cat",
                photos = new[] { new { fileName = "1.png", data = TestServer.Photo(1).Data.ToBase64() } },
                options = new
                {
                    steps = 2,
                    batchSize = 1,
                    resolution = 64,
                    previewEvery = 0,
                    initializer = "dog",
                },
            }
        );

        Assert.NotNull(events[0]["accepted"]);
        Assert.Equal("json-cat", (string?)events[^1]["result"]!["name"]);
        var jobId = (string)events[0]["accepted"]!["jobId"]!;
        var job = await http.GetFromJsonAsync<JsonNode>($"v1/jobs/{jobId}", Cancellation);
        Assert.Equal("JOB_STATE_SUCCEEDED", (string?)job!["job"]!["state"]);
        var replay = await http.GetStringAsync($"v1/jobs/{jobId}/events?from_step=2", Cancellation);
        Assert.Equal(1, replay.Split('\n').Count(line => line.Contains("\"progress\"", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Post_Generate_GivesThePictureOfTheSameCallByGrpc()
    {
        await using var server = Start();
        using var http = Web(server);
        var options = TestServer.Draw("a dog");

        var events = await LinesAsync(
            http,
            "v1/generate",
            new
            {
                options = new
                {
                    prompt = "a dog",
                    width = 64,
                    height = 64,
                    steps = 2,
                    seed = 3,
                    omitMetadata = true,
                },
            }
        );

        var picture = (string)events.Single(happened => happened["picture"] is not null)["picture"]!["data"]!;
        Assert.Equal(await server.PictureAsync(options), Convert.FromBase64String(picture));
    }

    [Fact]
    public async Task Concepts_ImportExportDelete_RoundTrip()
    {
        await using var server = Start();
        using var http = Web(server);
        var file = await File.ReadAllBytesAsync(
            Path.Combine(Dti.Tests.Fixtures.Root, "tiny-sd15", "expected", "learned_embeds-toy.safetensors"),
            Cancellation
        );

        using var imported = await http.PostAsJsonAsync("v1/concepts", new { name = "toy", data = file }, Cancellation);
        var inspected = await http.GetFromJsonAsync<JsonNode>("v1/concepts/toy/inspection?num_nearest=1", Cancellation);
        var exported = await http.GetFromJsonAsync<JsonNode>(
            "v1/concepts/toy/file?format=CONCEPT_FORMAT_WEBUI",
            Cancellation
        );
        using var deleted = await http.DeleteAsync("v1/concepts/toy", Cancellation);
        var left = await http.GetFromJsonAsync<JsonNode>("v1/concepts", Cancellation);

        Assert.Equal(HttpStatusCode.OK, imported.StatusCode);
        Assert.Single(inspected!["vectors"]![0]!["nearest"]!.AsArray());
        Assert.NotEmpty(Convert.FromBase64String((string)exported!["data"]!));
        Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        Assert.Empty(left!["concepts"]!.AsArray());
    }

    [Fact]
    public async Task Refusal_WrongFields_NamesThemAllInJson()
    {
        await using var server = Start();
        using var http = Web(server);

        using var response = await http.PostAsJsonAsync(
            "v1/generate",
            new
            {
                options = new
                {
                    prompt = "a dog",
                    steps = 0,
                    width = 65,
                },
            },
            Cancellation
        );
        var body = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{response.StatusCode}: {body}");
        Assert.Equal(
            ["options.steps", "options.width"],
            JsonNode.Parse(body)!["details"]![0]!["fieldViolations"]!
                .AsArray()
                .Select(violation => (string?)violation!["field"])
                .Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task Post_WhatIsNotOfTheContract_IsRefusedWithItsPlace()
    {
        await using var server = Start();
        using var http = Web(server);

        string[] found =
        [
            await Refused(
                http.PostAsJsonAsync(
                    "v1/generate",
                    new { prompt = "a cat", options = new { sampler = "euler" } },
                    Cancellation
                )
            ),
            await Refused(
                http.PostAsJsonAsync("v1/train", new { photos = new[] { new { data = "not base64!" } } }, Cancellation)
            ),
            await Refused(http.GetAsync("v1/concepts/x/inspection?num_neraest=3", Cancellation)),
        ];

        Assert.Equal(["prompt options.sampler", "photos[0].data", "num_neraest"], found);

        static async Task<string> Refused(Task<HttpResponseMessage> call)
        {
            using var response = await call;
            var text = await response.Content.ReadAsStringAsync(Cancellation);
            Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{response.StatusCode}: {text}");
            var violations = JsonNode.Parse(text)!["details"]![0]!["fieldViolations"]!.AsArray();
            return string.Join(' ', violations.Select(violation => $"{violation!["field"]}"));
        }
    }

    [Fact]
    public async Task Refusal_UnknownConcept_IsNotFound()
    {
        await using var server = Start();
        using var http = Web(server);
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync("v1/concepts/nobody", Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData("{", "application/json")]
    [InlineData("{}", "text/plain")] // what a form on any page can send without asking
    public async Task Post_NoJson_IsABadRequest(string body, string mediaType)
    {
        await using var server = Start();
        using var http = Web(server);
        using var content = new StringContent(body, Encoding.UTF8, mediaType);
        Assert.Equal(
            HttpStatusCode.BadRequest,
            (await http.PostAsync("v1/generate", content, Cancellation)).StatusCode
        );
    }

    [Fact]
    public async Task Post_BodyOverTheLimit_IsRefused()
    {
        await using var server = Start(options => options with { MaxMessageBytes = 1 << 20 });
        using var http = Web(server);
        var response = await http.PostAsJsonAsync(
            "v1/concepts",
            new { name = "big", data = new byte[2 << 20] },
            Cancellation
        );
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Contains(
            "larger than the 1 MiB",
            await response.Content.ReadAsStringAsync(Cancellation),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Get_OpenApi_DescribesEveryCallWithItsComment()
    {
        await using var server = Start();
        using var http = Web(server);

        var document = (await http.GetFromJsonAsync<JsonNode>("openapi/v1.json", Cancellation))!;
        var paths = document["paths"]!.AsObject();

        Assert.Superset(
            new HashSet<string>
            {
                "/v1/train",
                "/v1/generate",
                "/v1/interpolate",
                "/v1/jobs/{jobId}/events",
                "/v1/concepts/{name}/file",
                "/v1/models",
            },
            paths.Select(path => path.Key).ToHashSet()
        );
        Assert.Contains("photos", paths["/v1/train"]!["post"]!["summary"]!.ToString(), StringComparison.Ordinal);
        var kappa = document["components"]!["schemas"]!["TrainingOptions"]!["properties"]!["kappa"]!;
        Assert.Equal((0, 10), (kappa["minimum"]!.GetValue<int>(), kappa["maximum"]!.GetValue<int>()));
        Assert.Matches("^Default: ", kappa["description"]!.ToString());
    }

    [Fact]
    public async Task Get_OpenApi_SaysWhereTheServerIsAndWhichTokenItTakes()
    {
        await using var server = Start();
        using var http = Web(server);

        var document = (await http.GetFromJsonAsync<JsonNode>("openapi/v1.json", Cancellation))!;

        Assert.Equal("/", document["servers"]![0]!["url"]!.ToString());
        var scheme = document["components"]!["securitySchemes"]!["token"]!;
        Assert.Equal(("http", "bearer"), (scheme["type"]!.ToString(), scheme["scheme"]!.ToString()));
        Assert.Equal("""[{"token":[]},{}]""", document["security"]!.ToJsonString());
    }

    [Fact]
    public async Task Get_OpenApiPage_ListsEveryCallAndMessageWithoutScripts()
    {
        await using var server = Start();
        using var http = Web(server);
        var document = (await http.GetFromJsonAsync<JsonNode>("openapi/v1.json", Cancellation))!;

        using var response = await http.GetAsync(new Uri("openapi", UriKind.Relative), Cancellation);
        var page = await response.Content.ReadAsStringAsync(Cancellation);

        Assert.Equal("text/html; charset=utf-8", $"{response.Content.Headers.ContentType}");
        Assert.StartsWith(
            "default-src 'none'; style-src 'sha256-",
            response.Headers.GetValues("Content-Security-Policy").Single(),
            StringComparison.Ordinal
        );
        foreach (var path in document["paths"]!.AsObject())
        foreach (var call in path.Value!.AsObject())
            Assert.Contains($"<code>{call.Key.ToUpperInvariant()} {path.Key}</code>", page, StringComparison.Ordinal);
        foreach (var schema in document["components"]!["schemas"]!.AsObject())
            Assert.Contains($"<h3 id=\"{schema.Key}\">", page, StringComparison.Ordinal);
        Assert.DoesNotContain("<script", page, StringComparison.Ordinal);
        Assert.Matches("<code>kappa</code></td><td>number \\(double\\)</td><td>.* 0 to 10\\.", page);
    }

    [Theory]
    [InlineData("http://localhost:3000", true)]
    [InlineData("http://evil.example", false)]
    public async Task Preflight_Origin_IsLetInWhereOptionsNameIt(string origin, bool allowed)
    {
        await using var server = Start(options => options with { WebOrigins = ["http://localhost:3000"] });
        using var http = Web(server);
        using var request = new HttpRequestMessage(HttpMethod.Options, "v1/generate");
        request.Headers.Add("Origin", origin);
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "content-type");

        using var response = await http.SendAsync(request, Cancellation);

        Assert.Equal(allowed, response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task Get_HostOfAnotherName_IsRefused()
    {
        await using var server = Start();
        using var http = Web(server);
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/models");
        request.Headers.Host = "evil.example";
        Assert.Equal(HttpStatusCode.BadRequest, (await http.SendAsync(request, Cancellation)).StatusCode);
    }

    /// <summary>A server behind a proxy answered nobody who called the proxy by its name.</summary>
    [Fact]
    public async Task Get_HostOfAnotherNameOverHttp2_IsAnswered()
    {
        await using var server = Start();
        using var http = Http2(server);
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/models")
        {
            Version = HttpVersion.Version20,
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Host = "dti.example";
        Assert.Equal(HttpStatusCode.OK, (await http.SendAsync(request, Cancellation)).StatusCode);
    }

    [Theory]
    [InlineData(GrpcWebMode.GrpcWeb)]
    [InlineData(GrpcWebMode.GrpcWebText)]
    public async Task GrpcWeb_StreamAndRefusal_AreThoseOfGrpc(GrpcWebMode mode)
    {
        await using var server = Start();
        using var channel = GrpcChannel.ForAddress(
            server.WebAddress!,
            new GrpcChannelOptions
            {
                HttpHandler = new GrpcWebHandler(mode, new HttpClientHandler()),
                HttpVersion = HttpVersion.Version11,
                MaxReceiveMessageSize = null,
            }
        );
        var client = new DtiService.DtiServiceClient(channel);

        using var call = client.Generate(
            new GenerateRequest { Options = TestServer.Draw("a dog") },
            cancellationToken: Cancellation
        );
        var pictures = 0;
        await foreach (var happened in call.ResponseStream.ReadAllAsync(Cancellation))
        {
            pictures += happened.Picture is null ? 0 : 1;
        }

        Assert.Equal(1, pictures);
        Assert.Equal(
            ["options.steps"],
            await Refusal.Fields(async () =>
            {
                using var refused = client.Generate(
                    new GenerateRequest
                    {
                        Options = new() { Prompt = "a dog", Steps = 0 },
                    }
                );
                await refused.ResponseStream.MoveNext(Cancellation);
            })
        );
    }

    [Fact]
    public async Task WebPort_NotAsked_IsNotOpened()
    {
        await using var server = TestServer.Start();
        Assert.Null(server.WebAddress);
    }

    private static TestServer Start(Func<DtiServerOptions, DtiServerOptions>? change = null) =>
        TestServer.Start(options => (change?.Invoke(options) ?? options) with { WebPort = 0 });

    private static HttpClient Web(TestServer server) => new() { BaseAddress = server.WebAddress };

    private static HttpClient Http2(TestServer server) =>
        new()
        {
            BaseAddress = server.Address,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

    private static async Task<List<JsonNode>> LinesAsync(HttpClient http, string path, object body)
    {
        using var response = await http.PostAsJsonAsync(path, body, JsonSerializerOptions.Web, Cancellation);
        var text = await response.Content.ReadAsStringAsync(Cancellation);
        Assert.True(response.IsSuccessStatusCode, text);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line)!)];
    }
}
