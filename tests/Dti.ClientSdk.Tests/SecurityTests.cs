using System.Net;
using System.Security.Cryptography.X509Certificates;
using Dti.Tests;
using Grpc.Core;

namespace Dti.ClientSdk.Tests;

public class SecurityTests(ServerFixture server)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Token_EveryKindOfCall_CarriesIt()
    {
        var token = Guid.NewGuid().ToString("N");
        await using var client = new DtiClient(server.Address, new DtiClientOptions { Token = token });

        await client.ListModelsAsync(Cancellation);
        await client
            .GenerateAsync(
                new GenerationOptions
                {
                    Prompt = "a cat",
                    Width = 64,
                    Height = 64,
                    Steps = 1,
                },
                null,
                Cancellation
            )
            .ToListAsync(Cancellation);

        Assert.Equal(2, server.Tap.Authorizations.Count(header => header == "Bearer " + token));
    }

    [Fact]
    public void Token_PlainHttpToAnotherMachine_IsRefused()
    {
        var error = Assert.Throws<ArgumentException>(() =>
            new DtiClient("http://dti.example:5171", new DtiClientOptions { Token = "secret" })
        );

        Assert.Contains("https", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Token_OptionsAsText_IsLeftOut() =>
        Assert.DoesNotContain("secret", new DtiClientOptions { Token = "secret" }.ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task TrustedCertificate_ItsOwnOrItsAuthoritys_IsAccepted(bool signed)
    {
        using var authority = Certificates.Authority();
        using var certificate = Certificates.For(IPAddress.Loopback, signed ? authority : null);

        Assert.NotEmpty(
            await ModelsAsync(
                certificate,
                new DtiClientOptions { TrustedCertificate = signed ? authority : certificate }
            )
        );
    }

    [Fact]
    public async Task TrustedCertificate_AnothersCertificate_IsRefusedInASentence()
    {
        using var certificate = Certificates.For(IPAddress.Loopback);
        using var other = Certificates.For(IPAddress.Loopback);

        var error = await Assert.ThrowsAsync<DtiClientException>(() =>
            ModelsAsync(certificate, new DtiClientOptions { TrustedCertificate = other, MaxRetries = 0 })
        );

        Assert.Contains("certificate is not trusted", error.Message, StringComparison.Ordinal);
        Assert.Equal(StatusCode.Unavailable, error.Status);
    }

    [Fact]
    public async Task ListModelsAsync_HttpToAServerThatSpeaksTls_IsUnavailableInASentence()
    {
        using var certificate = Certificates.For(IPAddress.Loopback);
        await using var proxy = new CuttingProxy(server.Address, certificate);
        await using var client = new DtiClient(
            $"http://{proxy.Address.Authority}",
            new DtiClientOptions { MaxRetries = 0 }
        );

        var error = await Assert.ThrowsAsync<DtiClientException>(() => client.ListModelsAsync(Cancellation));

        Assert.Equal(StatusCode.Unavailable, error.Status);
        Assert.Contains("speaks TLS (https://)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task TrustedCertificate_ForAnotherName_IsRefused()
    {
        using var certificate = Certificates.For(IPAddress.Parse("192.0.2.1"));

        await Assert.ThrowsAsync<DtiClientException>(() =>
            ModelsAsync(certificate, new DtiClientOptions { TrustedCertificate = certificate, MaxRetries = 0 })
        );
    }

    [Fact]
    public async Task ClientCertificate_Given_IsShownToTheServer()
    {
        using var certificate = Certificates.For(IPAddress.Loopback);
        using var own = Certificates.For(IPAddress.Loopback);
        await using var proxy = new CuttingProxy(server.Address, certificate);
        await using var client = new DtiClient(
            proxy.Address,
            new DtiClientOptions { TrustedCertificate = certificate, ClientCertificate = own }
        );

        await client.ListModelsAsync(Cancellation);

        Assert.Equal(own.Thumbprint, proxy.ClientThumbprint);
    }

    private async Task<IReadOnlyList<Model>> ModelsAsync(X509Certificate2 certificate, DtiClientOptions options)
    {
        await using var proxy = new CuttingProxy(server.Address, certificate);
        await using var client = new DtiClient(proxy.Address, options);
        return await client.ListModelsAsync(Cancellation);
    }
}
