using System.Net;
using Dti.Server;
using Dti.Server.Configuration;
using Dti.Server.Security;
using Dti.Tests;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dti.ClientSdk.Tests;

/// <summary>A server that wants tokens, with TLS of a certificate of its own.</summary>
public sealed class TokenTests : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-tokens-").FullName;
    private readonly System.Security.Cryptography.X509Certificates.X509Certificate2 _authority =
        Certificates.Authority();
    private readonly ErrorCollector _errors = new();
    private AccessTokens _tokens = null!;
    private WebApplication _app = null!;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _tokens = new AccessTokens(Path.Combine(_folder, "tokens.json"));
        using var certificate = Certificates.For(IPAddress.Loopback, _authority);
        var (file, key) = Certificates.Write(_folder, "server", certificate);
        _app = DtiHost.Build(
            new DtiServerOptions
            {
                Port = 0,
                ConceptFolder = Path.Combine(_folder, "concepts"),
                ModelFolders = [Path.Combine(Fixtures.Root, "tiny-sd15")],
                BuiltInModel = null,
                Security = new()
                {
                    TokenFile = Path.Combine(_folder, "tokens.json"),
                    TlsCertificate = file,
                    TlsKey = key,
                },
            },
            builder => builder.Logging.ClearProviders().AddProvider(_errors)
        );
        await _app.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _authority.Dispose();
        Directory.Delete(_folder, recursive: true);
        Assert.Empty(_errors.Found);
    }

    [Fact]
    public async Task Token_Right_IsToldWhoItIs()
    {
        await using var client = Client(_tokens.Create("anna", ["read", "train"]).Secret);
        var server = await client.GetServerAsync(Cancellation);
        Assert.Equal("anna", server.Caller);
        Assert.Equal(["read", "train"], server.Scopes);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("dti_wrong")]
    public async Task Token_MissingOrWrong_IsTheSameHelpfulSentenceInEachKindOfCall(string? token)
    {
        _tokens.Create("anna", ["read"]);
        await using var client = Client(token);
        foreach (
            var call in new Func<Task>[]
            {
                () => client.ListModelsAsync(Cancellation),
                () =>
                    client
                        .GenerateAsync(new GenerationOptions { Prompt = "a cat" }, null, Cancellation)
                        .ToListAsync(Cancellation)
                        .AsTask(),
                async () =>
                    await client
                        .TrainAsync(await ServerFixture.RequestAsync("x"), null, Cancellation)
                        .ToListAsync(Cancellation),
            }
        )
        {
            var error = await Assert.ThrowsAsync<DtiClientException>(call);
            Assert.Equal((StatusCode.Unauthenticated, "TOKEN_REFUSED"), (error.Status, error.Reason));
            Assert.StartsWith(
                "This server requires a valid token: set DTI_TOKEN",
                error.Message,
                StringComparison.Ordinal
            );
        }
    }

    [Fact]
    public async Task Token_WithoutTheScope_SaysWhich()
    {
        await using var client = Client(_tokens.Create("anna", ["read"]).Secret);
        var error = await Assert.ThrowsAsync<DtiClientException>(() => client.DeleteConceptAsync("x", Cancellation));
        Assert.Equal((StatusCode.PermissionDenied, "SCOPE_MISSING"), (error.Status, error.Reason));
        Assert.Contains("the scope train", error.Message, StringComparison.Ordinal);
    }

    private DtiClient Client(string? token) =>
        new(
            DtiHost.AddressOf(_app),
            new DtiClientOptions
            {
                Token = token,
                TrustedCertificate = _authority,
                MaxRetries = 0,
            }
        );
}
