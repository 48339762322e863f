using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using Dti.Server.Configuration;
using Dti.Server.Security;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dti.Server.Tests.Security;

public sealed class TlsTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-tls-").FullName;
    private readonly X509Certificate2 _root = Certificates.Authority();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        _root.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task AnyAddress_TlsAndAToken_ServesGrpcAndJsonOnOnePort()
    {
        var tokens = new AccessTokens(Path.Combine(_folder, "tokens.json"));
        var secret = tokens.Create("alice", ["read"]).Secret;
        await using var server = Start(
            security => security with { TokenFile = Path.Combine(_folder, "tokens.json") },
            "0.0.0.0"
        );
        using var channel = Channel(server, Handler());
        using var http = new HttpClient(Handler()) { BaseAddress = Local(server) };

        var models = new ModelService.ModelServiceClient(channel);
        Assert.Single((await models.ListAsync(new(), new Metadata { { "authorization", "Bearer " + secret } })).Models);
        await Refusal.Of(() => models.ListAsync(new()).ResponseAsync, StatusCode.Unauthenticated);

        Assert.Equal(HttpStatusCode.Unauthorized, (await http.GetAsync("v1/models", Cancellation)).StatusCode);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", secret);
        Assert.Contains("tiny-sd15", await http.GetStringAsync("v1/models", Cancellation), StringComparison.Ordinal);
    }

    /// <summary>Other machines could call by no name of the server's: all but localhost was refused.</summary>
    [Theory]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task AnyName_WithTls_IsAnswered(string version)
    {
        await using var server = Start();
        using var handler = Handler();
        handler.SslOptions.RemoteCertificateValidationCallback = (_, certificate, _, _) =>
            certificate?.Issuer == _root.Subject; // the name is not that of the certificate
        using var http = new HttpClient(handler) { BaseAddress = Local(server) };
        using var request = new HttpRequestMessage(HttpMethod.Get, "v1/models")
        {
            Version = Version.Parse(version),
            VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        request.Headers.Host = "gpu.example";

        Assert.Equal(HttpStatusCode.OK, (await http.SendAsync(request, Cancellation)).StatusCode);
    }

    [Fact]
    public async Task Certificate_OfAnIntermediateAuthority_ComesWithIt()
    {
        using var intermediate = Certificates.Authority(_root);
        using var certificate = Certificates.For(IPAddress.Loopback, intermediate);
        var (file, key) = Certificates.Write(_folder, "server", certificate, intermediate);
        await using var server = TestServer.Start(options =>
            options with
            {
                Security = new() { TlsCertificate = file, TlsKey = key },
            }
        );
        using var channel = Channel(server, Handler()); // trusts the root, and knows of nothing between

        Assert.Single((await new ModelService.ModelServiceClient(channel).ListAsync(new())).Models);
    }

    [Fact]
    public async Task Certificate_Renewed_IsShownWithoutARestart()
    {
        await using var server = Start();
        Assert.Equal(
            Shown(await File.ReadAllTextAsync(Path.Combine(_folder, "server.pem"), Cancellation)),
            await ShownAsync(server)
        );

        WriteServerCertificate();
        var renewed = Shown(await File.ReadAllTextAsync(Path.Combine(_folder, "server.pem"), Cancellation));

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        patience.CancelAfter(TimeSpan.FromSeconds(60));
        while (await ShownAsync(server) != renewed)
        {
            await Task.Delay(100, patience.Token);
        }
    }

    [Fact]
    public async Task ClientAuthority_CallerWithItsCertificate_IsWhoItSays()
    {
        await using var server = Start(WithClientAuthority);
        using var alice = Certificates.OfCaller("alice", _root);
        using var bob = Certificates.OfCaller("bob", _root);
        using var hers = Channel(server, Handler(alice));
        using var his = Channel(server, Handler(bob));
        var toy = ByteString.CopyFrom(
            await File.ReadAllBytesAsync(
                Path.Combine(Fixtures.Root, "tiny-sd15", "expected", "learned_embeds-toy.safetensors"),
                Cancellation
            )
        );

        var concept = (
            await new ConceptService.ConceptServiceClient(hers).ImportAsync(new() { Name = "toy", Data = toy })
        ).Concept;

        Assert.Equal("certificate:alice", concept.Owner);
        Assert.Empty((await new ConceptService.ConceptServiceClient(his).ListAsync(new())).Concepts);
        await Refusal.Of(
            () => new ConceptService.ConceptServiceClient(hers).InstallAsync(new() { Name = "toy" }).ResponseAsync,
            StatusCode.PermissionDenied
        );
    }

    [Fact]
    public async Task ClientAuthority_CallerWithATokenToo_IsWhomTheTokenStandsFor()
    {
        var tokens = new AccessTokens(Path.Combine(_folder, "tokens.json"));
        var secret = tokens.Create("reader", ["read"]).Secret;
        await using var server = Start(security =>
            WithClientAuthority(security) with
            {
                TokenFile = Path.Combine(_folder, "tokens.json"),
            }
        );
        using var alice = Certificates.OfCaller("alice", _root);
        using var channel = Channel(server, Handler(alice));
        var concepts = new ConceptService.ConceptServiceClient(channel);

        await concepts
            .DeleteAsync(new() { Name = "none" })
            .ResponseAsync.ContinueWith(
                call => Assert.Equal(StatusCode.NotFound, ((RpcException)call.Exception!.InnerException!).StatusCode),
                Cancellation
            );
        await Refusal.Of(
            () =>
                concepts
                    .DeleteAsync(new() { Name = "none" }, new Metadata { { "authorization", "Bearer " + secret } })
                    .ResponseAsync,
            StatusCode.PermissionDenied
        );
        await Refusal.Of(
            () => concepts.ListAsync(new(), new Metadata { { "authorization", "Bearer wrong" } }).ResponseAsync,
            StatusCode.Unauthenticated
        );
    }

    [Theory]
    [InlineData("none")]
    [InlineData("another authority's")]
    [InlineData("expired")]
    [InlineData("a server's own")]
    public async Task ClientAuthority_CallerWithoutAGoodCertificate_DoesNotGetThroughTheHandshake(string kind)
    {
        await using var server = Start(WithClientAuthority);
        using var other = Certificates.Authority();
        using var shown = kind switch
        {
            "none" => null,
            "expired" => Certificates.OfCaller("alice", _root, ended: true),
            "a server's own" => Certificates.For(IPAddress.Loopback),
            _ => Certificates.OfCaller("alice", other),
        };
        using var channel = Channel(server, Handler(shown));

        // With TLS 1.3 the client hears of it after its side of the handshake, at one moment or another.
        var error = await Assert.ThrowsAsync<RpcException>(() =>
            new ModelService.ModelServiceClient(channel).ListAsync(new()).ResponseAsync
        );
        Assert.True(
            error.Status is { StatusCode: StatusCode.Unavailable or StatusCode.Internal, DebugException: not null },
            $"{error}"
        );
    }

    private SecurityOptions WithClientAuthority(SecurityOptions security)
    {
        var file = Path.Combine(_folder, "clients.pem");
        File.WriteAllText(file, _root.ExportCertificatePem());
        return security with { ClientCa = file };
    }

    private TestServer Start(Func<SecurityOptions, SecurityOptions>? change = null, string address = "127.0.0.1")
    {
        var (file, key) = WriteServerCertificate();
        var security = new SecurityOptions { TlsCertificate = file, TlsKey = key };
        return TestServer.Start(options =>
            options with
            {
                Address = address,
                Security = change?.Invoke(security) ?? security,
            }
        );
    }

    private (string Certificate, string Key) WriteServerCertificate()
    {
        using var certificate = Certificates.For(IPAddress.Loopback, _root);
        return Certificates.Write(_folder, "server", certificate);
    }

    private static string Shown(string pem)
    {
        using var certificate = X509Certificate2.CreateFromPem(pem);
        return certificate.Thumbprint;
    }

    /// <summary>The thumbprint of the certificate that a new connection gets.</summary>
    private async Task<string> ShownAsync(TestServer server)
    {
        using var client = new System.Net.Sockets.TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Address.Port, Cancellation);
        await using var tls = new SslStream(client.GetStream());
        await tls.AuthenticateAsClientAsync(
            new SslClientAuthenticationOptions { TargetHost = "127.0.0.1", CertificateChainPolicy = Trust() },
            Cancellation
        );
        return ((X509Certificate2)tls.RemoteCertificate!).Thumbprint;
    }

    private static Uri Local(TestServer server) => new UriBuilder(server.Address) { Host = "127.0.0.1" }.Uri;

    private static GrpcChannel Channel(TestServer server, HttpMessageHandler handler) =>
        GrpcChannel.ForAddress(Local(server), new GrpcChannelOptions { HttpHandler = handler });

    private SocketsHttpHandler Handler(X509Certificate2? own = null)
    {
        var handler = new SocketsHttpHandler { SslOptions = { CertificateChainPolicy = Trust() } };
        if (own is not null)
        {
            // also one that the server would not ask for
            handler.SslOptions.LocalCertificateSelectionCallback = (_, _, _, _, _) => own;
        }

        return handler;
    }

    private X509ChainPolicy Trust() =>
        new()
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            CustomTrustStore = { _root },
            RevocationMode = X509RevocationMode.NoCheck,
        };
}
