using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Dti.Server.Security;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Grpc.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi.Models;
using Swashbuckle.AspNetCore.Swagger;

namespace Dti.Server.Tests.Attacks;

/// <summary>Calls that cost much, details that leak, and certificates that nobody accepts.</summary>
public sealed class DetailTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-details-");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task OpenApi_AskedOften_IsMadeOnce()
    {
        var pages = new CountedPages();
        await using var server = TestServer.Start(
            options => options with { WebPort = 0 },
            services => services.AddSingleton<ISwaggerProvider>(pages)
        );
        using var http = new HttpClient { BaseAddress = server.WebAddress };
        for (var time = 0; time < 3; time++)
        {
            Assert.Contains(
                "\"made once\"",
                await http.GetStringAsync(new Uri("/openapi/v1.json", UriKind.Relative), Cancellation),
                StringComparison.Ordinal
            );
        }

        Assert.Equal(1, pages.Made);
    }

    [Fact]
    public async Task Refusal_OfALongPath_LogsItsBeginning()
    {
        using var log = new LogCollector();
        await using var server = GuardedServer.Start(log);
        using var http = new HttpClient
        {
            BaseAddress = server.Server.Address,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var response = await http.GetAsync(
            new Uri("/v1/concepts/" + new string('a', 6000) + "%0Ainjected", UriKind.Relative),
            Cancellation
        );

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        var line = Assert.Single(log.Lines, line => line.StartsWith("A call of", StringComparison.Ordinal));
        Assert.InRange(line.Length, 1, 300);
        Assert.DoesNotContain('\n', line.TrimEnd());
    }

    [Fact]
    public async Task Refusal_PathWithALineBreak_LogsOneLine()
    {
        using var log = new LogCollector();
        await using var server = GuardedServer.Start(log);
        using var http = new HttpClient
        {
            BaseAddress = server.Server.Address,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var response = await http.GetAsync(
            new Uri("/v1/concepts/a%0D%0Afail:%20forged", UriKind.Relative),
            Cancellation
        );

        var line = Assert.Single(log.Lines, line => line.StartsWith("A call of", StringComparison.Ordinal));
        Assert.DoesNotContain('\n', line.TrimEnd());
    }

    [Theory]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("evil.example", HttpStatusCode.BadRequest)]
    public async Task Metrics_HostOfAnotherName_IsRefused(string host, HttpStatusCode expected)
    {
        await using var server = TestServer.Start(options => options with { MetricsPort = 0 });
        using var http = new HttpClient { BaseAddress = server.MetricsAddress };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics");
        request.Headers.Host = host;

        using var response = await http.SendAsync(request, Cancellation);

        Assert.Equal(expected, response.StatusCode);
    }

    [Fact]
    public async Task Refusal_BecauseOfAFile_NamesItWithoutTheServersFolder()
    {
        var model = Directory.CreateDirectory(Path.Combine(_folder.FullName, "models", "broken"));
        await File.WriteAllTextAsync(Path.Combine(model.FullName, "model_index.json"), "{", Cancellation);
        await using var server = TestServer.Start(options =>
            options with
            {
                ModelFolders = [.. options.ModelFolders, Path.Combine(_folder.FullName, "models")],
            }
        );

        var problem = (await server.Models.GetAsync(new() { Name = "broken" })).Model.Problem;
        var refused = await Refusal.Of(
            () => server.GenerateAsync(new GenerationOptions { Prompt = "a dog", Model = "broken" }),
            StatusCode.FailedPrecondition
        );

        Assert.Contains(Path.Combine("broken", "model_index.json"), problem, StringComparison.Ordinal);
        Assert.DoesNotContain(Path.GetTempPath(), problem, StringComparison.Ordinal);
        Assert.Contains(Path.Combine("broken", "model_index.json"), refused.Status.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(Path.GetTempPath(), refused.Status.Detail, StringComparison.Ordinal);
        Assert.DoesNotContain(Path.GetTempPath(), refused.GetRpcStatus()!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Start_CertificateThatHasEnded_IsRefused()
    {
        using var key = RSA.Create(2048);
        var error = Assert.Throws<Engine.ValidationException>(() =>
            StartWith(key, DateTimeOffset.UtcNow.AddMinutes(-1))
        );
        Assert.Contains("it ended at", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Start_KeyThatClientsRefuse_IsRefused()
    {
        using var key = RSA.Create(1024);
        var error = Assert.Throws<Engine.ValidationException>(() => StartWith(key, DateTimeOffset.UtcNow.AddDays(30)));
        Assert.Contains("its key has 1024 bits", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Stream_OfAJobThatWaits_EndsWhenItsTokenIsRevoked()
    {
        await using var server = GuardedServer.Start();
        var admin = new DtiService.DtiServiceClient(server.With(server.Secrets[Scopes.Admin]));
        using var first = admin.Train(TestServer.Request("first", steps: 100_000), cancellationToken: Cancellation);
        Assert.True(await first.ResponseStream.MoveNext(Cancellation));
        using var waiting = new DtiService.DtiServiceClient(server.As("alice", "train")).Train(
            TestServer.Request("second"),
            cancellationToken: Cancellation
        );
        while (await waiting.ResponseStream.MoveNext(Cancellation) && waiting.ResponseStream.Current.Queued is null) { }

        server.Tokens.Revoke("alice");

        var refused = await Refusal.Of(
            async () =>
            {
                while (await waiting.ResponseStream.MoveNext(Cancellation)) { }
            },
            StatusCode.Unauthenticated
        );
        Assert.Equal("TOKEN_REFUSED", Refusal.Reason(refused));
        var jobs = new JobService.JobServiceClient(server.With(server.Secrets[Scopes.Admin]));
        Assert.All((await jobs.ListAsync(new())).Jobs, job => Assert.Null(job.Ended));
    }

    private void StartWith(RSA key, DateTimeOffset end)
    {
        var request = new CertificateRequest("CN=Test", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(end.AddDays(-60), end);
        var (file, keyFile) = (
            Path.Combine(_folder.FullName, "server.pem"),
            Path.Combine(_folder.FullName, "server.key")
        );
        File.WriteAllText(file, certificate.ExportCertificatePem());
        File.WriteAllText(keyFile, key.ExportPkcs8PrivateKeyPem());
        TestServer.Start(options =>
            options with
            {
                Security = new() { TlsCertificate = file, TlsKey = keyFile },
            }
        );
    }

    private sealed class CountedPages : ISwaggerProvider
    {
        public int Made { get; private set; }

        public OpenApiDocument GetSwagger(string documentName, string? host = null, string? basePath = null)
        {
            Made++;
            return new OpenApiDocument
            {
                Info = new OpenApiInfo { Title = "made once", Version = "v1" },
                Paths = [],
            };
        }
    }
}
