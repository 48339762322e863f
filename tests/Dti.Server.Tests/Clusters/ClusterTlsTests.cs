using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using Dti.Engine;
using Dti.Server.Jobs;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Server.Tests.Clusters;

/// <summary>A gateway whose port for other hosts uses TLS.</summary>
public sealed class TlsClusterFixture : MachineFixture
{
    /// <summary>What Orleans logs while a host that cannot join is in its table.</summary>
    internal const string Stranger = "Error while cancelling";

    private Cluster? _cluster;
    private TestServer? _gateway;

    internal X509Certificate2 Authority { get; } = Certificates.Authority();

    internal Cluster Cluster => Started(_cluster);

    internal TestServer Gateway => Started(_gateway);

    protected override async Task StartAsync()
    {
        _cluster = await Cluster.StartAsync("redis");
        _gateway = Start("gateway", "gateway-1", Authority);
    }

    /// <summary>Starts a host whose certificate an authority has signed, which is the only one that it trusts.</summary>
    internal TestServer Start(string role, string name, X509Certificate2 authority, TimeSpan? joinTimeout = null)
    {
        using var host = Certificates.For(IPAddress.Loopback, authority);
        var (certificate, key) = Certificates.Write(Cluster.Folder, name, host);
        var (ca, _) = Certificates.Write(Cluster.Folder, $"{name}-ca", authority);
        return Cluster.Start(role, name, cluster =>
            cluster with
            {
                TlsCertificate = certificate,
                TlsKey = key,
                Ca = ca,
                JoinTimeout = joinTimeout ?? cluster.JoinTimeout,
            }
        );
    }

    protected override async Task StopAsync()
    {
        if (_cluster is not null)
        {
            _gateway?.ForgiveErrors(Stranger);
            await _cluster.DisposeAsync();
        }

        Authority.Dispose();
    }
}

/// <summary>Who can connect to a host whose port for other hosts uses TLS.</summary>
public sealed class ClusterTlsTests(TlsClusterFixture fixture) : IClassFixture<TlsClusterFixture>
{
    [Fact]
    public async Task Start_CertificateOfTheAuthority_Joins()
    {
        var worker = fixture.Start("worker", "worker-1", fixture.Authority);

        var events = await fixture.Gateway.TrainAsync(TestServer.Request("over-tls"));

        Assert.NotNull(events[^1].Result);
        worker.ForgiveErrors(TlsClusterFixture.Stranger);
        await fixture.Cluster.StopAsync(worker);
    }

    [Fact]
    public async Task Start_CertificateOfAnotherAuthority_DoesNotJoin()
    {
        using var other = Certificates.Authority();

        var refused = Assert.Throws<DtiException>(() =>
            fixture.Start("worker", "stranger", other, TimeSpan.FromSeconds(3))
        );

        Assert.Contains("the same authority", refused.Message, StringComparison.Ordinal);
        await fixture.Gateway.Jobs.ListAsync(new JobServiceListRequest()); // the other hosts still answer
    }

    [Fact]
    public async Task Connect_OwnCertificate_IsAcceptedAndOneOfAnotherAuthorityIsNot()
    {
        using var other = Certificates.Authority();

        Assert.True(await IsAcceptedAsync(fixture.Authority));
        Assert.False(await IsAcceptedAsync(other));
        Assert.False(await IsAcceptedAsync(null));
    }

    [Fact]
    public async Task Connect_WithoutTls_IsClosed()
    {
        using var socket = await ConnectAsync();
        await socket.GetStream().WriteAsync(new byte[64], TestContext.Current.CancellationToken);

        Assert.Equal(0, await ReadAsync(socket.GetStream()));
    }

    /// <summary>Whether the gateway keeps a connection on which a certificate of an authority was shown.</summary>
    private async Task<bool> IsAcceptedAsync(X509Certificate2? authority)
    {
        using var socket = await ConnectAsync();
        using var tls = new SslStream(socket.GetStream());
        using var own = authority is null ? null : Certificates.For(IPAddress.Loopback, authority);
        var trust = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        trust.CustomTrustStore.Add(fixture.Authority);
        var client = new SslClientAuthenticationOptions
        {
            TargetHost = "127.0.0.1",
            CertificateChainPolicy = trust,
            ClientCertificates = own is null ? [] : [own],
        };
        try
        {
            await tls.AuthenticateAsClientAsync(client, TestContext.Current.CancellationToken);
            return await ReadAsync(tls) > 0; // the first message of the silo; a refused client reads the end
        }
        catch (AuthenticationException)
        {
            return false;
        }
    }

    private static async Task<int> ReadAsync(Stream stream)
    {
        try
        {
            return await stream.ReadAsync(new byte[64], TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private async Task<TcpClient> ConnectAsync()
    {
        var socket = new TcpClient();
        await socket.ConnectAsync(
            await fixture.Gateway.Services.GetRequiredService<JobSilo>().EndpointAsync(),
            TestContext.Current.CancellationToken
        );
        return socket;
    }
}
