using System.Net;
using System.Security.Cryptography.X509Certificates;
using Dti.Server.Security;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Orleans.Connections.Security;
using Orleans.Storage;
using StackExchange.Redis;
using Cluster = Dti.Server.Configuration.ClusterOptions;

namespace Dti.Server.Jobs.Clustering;

/// <summary>Makes a silo a host of a cluster: its database, its address, and TLS between the hosts.</summary>
internal static class ClusterSilo
{
    private const string Database = "database"; // the storage below DatabaseGrainStorage

    /// <summary>Configures a silo.</summary>
    /// <param name="silo">The silo.</param>
    /// <param name="cluster">The settings, which are valid.</param>
    /// <param name="port">The port at which other hosts reach it.</param>
    public static void UseCluster(this ISiloBuilder silo, Cluster cluster, int port)
    {
        silo.Configure<ClusterOptions>(ids => (ids.ClusterId, ids.ServiceId) = (cluster.Id, cluster.Service));
        silo.Configure<EndpointOptions>(endpoint =>
            (endpoint.AdvertisedIPAddress, endpoint.SiloPort, endpoint.GatewayPort, endpoint.SiloListeningEndpoint) = (
                IPAddress.Parse(cluster.Address),
                port,
                0, // clients call by gRPC
                new IPEndPoint(IPAddress.Parse(cluster.Address), port)
            )
        );
        silo.Configure<ClusterMembershipOptions>(membership =>
        {
            membership.DefunctSiloCleanupPeriod = TimeSpan.FromHours(1);
            membership.MaxJoinAttemptTime = cluster.JoinTimeout;
            // a silo that cannot join would evict itself, and end the process before it can say why
            membership.EvictWhenMaxJoinAttemptTimeExceeded = false;
        });
        silo.Services.AddSingleton<IGrainStorageSerializer, OrleansGrainStorageSerializer>();
        silo.Services.AddKeyedSingleton<IGrainStorage>(JobSilo.Storage, (services, _) =>
            new DatabaseGrainStorage(services.GetRequiredKeyedService<IGrainStorage>(Database))
        );
        if (ClusterDatabase.IsPostgres(cluster.Connection!))
        {
            UsePostgres(silo, cluster.Connection!);
        }
        else
        {
            UseRedis(silo, cluster.Connection!);
        }

        if (cluster.HasTls)
        {
            UseTls(silo, cluster);
        }
    }

    private static void UsePostgres(ISiloBuilder silo, string connection)
    {
        const string invariant = "Npgsql"; // by which Orleans finds the driver
        silo.UseAdoNetClustering(options => (options.Invariant, options.ConnectionString) = (invariant, connection));
        silo.AddAdoNetGrainStorage(Database, options =>
            (options.Invariant, options.ConnectionString) = (invariant, connection)
        );
    }

    private static void UseRedis(ISiloBuilder silo, string connection)
    {
        silo.UseRedisClustering(options => options.ConfigurationOptions = ConfigurationOptions.Parse(connection));
        silo.AddRedisGrainStorage(Database, options =>
            (options.ConfigurationOptions, options.DeleteStateOnClear) = (ConfigurationOptions.Parse(connection), true)
        );
    }

    /// <summary>Each host shows its certificate, and accepts those that the cluster's authority has signed.</summary>
    private static void UseTls(ISiloBuilder silo, Cluster cluster)
    {
        var own = ServerCertificate.Load(cluster.TlsCertificate!, cluster.TlsKey!).TargetCertificate;
        var authorities = ClientAuthorities.Load(cluster.Ca!);
        silo.UseTls(own, tls =>
        {
            tls.RemoteCertificateMode = RemoteCertificateMode.RequireCertificate;
            tls.ClientCertificateMode = RemoteCertificateMode.RequireCertificate;
            tls.RemoteCertificateValidation = (shown, _, _) => IsOfCluster(authorities, shown);
            tls.OnAuthenticateAsClient = (_, client) => client.TargetHost = cluster.Id;
        });
    }

    /// <summary>Whether an authority of the cluster has signed a certificate, for hosts that call others.</summary>
    internal static bool IsOfCluster(ClientAuthorities authorities, X509Certificate2? shown)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy = authorities.Policy();
        return shown is not null && chain.Build(shown);
    }
}
