using System.Net;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.ObjectStorage;
using Dti.Server.Security;

namespace Dti.Server.Jobs.Clustering;

/// <summary>Mistakes of the cluster's settings that keep a server from starting.</summary>
internal static class ClusterChecks
{
    private const int MaxName = 150; // characters; of a database key
    private static readonly TimeSpan _longestModelWait = TimeSpan.FromHours(1);

    /// <summary>Everything that is wrong, each with what to do.</summary>
    public static IEnumerable<FieldViolation> Violations(DtiServerOptions options)
    {
        var cluster = options.Cluster;
        if (cluster.Role is not ("all" or "gateway" or "worker"))
        {
            yield return Wrong(
                nameof(ClusterOptions.Role),
                $"Role '{cluster.Role}' is not one of all, gateway and worker."
            );
        }
        else if (cluster.Role != "all" && !cluster.IsUsed)
        {
            yield return Wrong(
                nameof(ClusterOptions.Role),
                $"A {cluster.Role} needs the database of its cluster: name it in DTI_CLUSTER__CONNECTION or --cluster, or leave the role out."
            );
        }

        if (!cluster.IsUsed)
        {
            yield break;
        }

        foreach (var violation in OfUsed(options, cluster))
        {
            yield return violation;
        }
    }

    private static IEnumerable<FieldViolation> OfUsed(DtiServerOptions options, ClusterOptions cluster)
    {
        if (ClusterDatabase.Problem(cluster.Connection!) is { } problem)
        {
            yield return Wrong(
                nameof(ClusterOptions.Connection),
                $"The connection string of the cluster cannot be used: {problem}."
            );
        }

        if (options.JobFolder is null)
        {
            yield return new(
                nameof(DtiServerOptions.JobFolder),
                "A host of a cluster needs a folder of jobs: JobFolder must name it."
            );
        }

        foreach (
            var (name, value) in new[]
            {
                (nameof(ClusterOptions.Id), cluster.Id),
                (nameof(ClusterOptions.Service), cluster.Service),
                (nameof(ClusterOptions.Host), cluster.HostName),
            }.Where(named => named.Item2.Trim().Length is 0 or > MaxName)
        )
        {
            yield return Wrong(name, $"{name} '{value}' must have 1 to {MaxName} characters.");
        }

        if (cluster.Port is < 0 or > 65535)
        {
            yield return Wrong(nameof(ClusterOptions.Port), $"Port is {cluster.Port}; it must be from 0 to 65535.");
        }

        if (cluster.ModelWait < TimeSpan.Zero || cluster.ModelWait > _longestModelWait)
        {
            yield return Wrong(
                nameof(ClusterOptions.ModelWait),
                $"ModelWait is {cluster.ModelWait}; it must be from 0 to {_longestModelWait.Hours} hour."
            );
        }

        foreach (var (setting, unusable) in ObjectStores.Problems(cluster))
        {
            yield return Wrong(setting, unusable);
        }

        if (
            !IPAddress.TryParse(cluster.Address, out var address)
            || address.Equals(IPAddress.Any)
            || address.Equals(IPAddress.IPv6Any)
        )
        {
            yield return Wrong(
                nameof(ClusterOptions.Address),
                $"Address '{cluster.Address}' is not the address of one network card: write the IP address at which the other hosts reach this one."
            );
        }
        else if (!IPAddress.IsLoopback(address) && !cluster.HasTls)
        {
            yield return Wrong(
                nameof(ClusterOptions.Address),
                $"Other machines reach the address {cluster.Address}, so the hosts need TLS: set TlsCertificate, TlsKey and Ca of the cluster (docs/cluster.md)."
            );
        }

        if (cluster.HasTls && TlsProblem(cluster) is { } problemOfTls)
        {
            yield return problemOfTls;
        }
    }

    private static FieldViolation? TlsProblem(ClusterOptions cluster)
    {
        foreach (
            var (name, file) in new[]
            {
                (nameof(ClusterOptions.TlsCertificate), cluster.TlsCertificate),
                (nameof(ClusterOptions.TlsKey), cluster.TlsKey),
                (nameof(ClusterOptions.Ca), cluster.Ca),
            }
        )
        {
            if (file is null)
            {
                return Wrong(name, $"TLS between hosts needs {name}, too: the path of a PEM file.");
            }
        }

        try
        {
            var authorities = ClientAuthorities.Load(cluster.Ca!);
            var own = ServerCertificate.Load(cluster.TlsCertificate!, cluster.TlsKey!).TargetCertificate;
            return ClusterSilo.IsOfCluster(authorities, own)
                ? null
                : Wrong(
                    nameof(ClusterOptions.TlsCertificate),
                    $"The certificate {cluster.TlsCertificate} is not signed by {cluster.Ca}, is out of date, or is not for hosts that also call others (clientAuth); the other hosts would refuse it."
                );
        }
        catch (DtiException error)
        {
            return Wrong(nameof(ClusterOptions.TlsCertificate), error.Message);
        }
    }

    private static FieldViolation Wrong(string name, string description) =>
        new($"{nameof(DtiServerOptions.Cluster)}.{name}", description);
}
