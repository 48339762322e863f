using System.Net;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Jobs.Clustering;
using Dti.Server.Jobs.Storage;
using Dti.Tests;

namespace Dti.Server.Tests.Clusters;

/// <summary>What a host of a cluster is told, and the folder of jobs that it shares.</summary>
public sealed class ClusterSettingsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-hosts-");

    private static readonly ClusterOptions _redis = new() { Connection = "localhost:6379" };

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("Host=db;Database=dti;Username=dti;Password=a:b,c", true)]
    [InlineData("redis:6379,password=a=b", false)]
    [InlineData("redis,ssl=true", false)]
    [InlineData("redis", false)]
    public void IsPostgres_ConnectionString_IsRecognized(string connection, bool expected)
    {
        Assert.Equal(expected, ClusterDatabase.IsPostgres(connection));
        Assert.Null(ClusterDatabase.Problem(connection));
    }

    [Theory]
    [InlineData("postgres://db/dti")]
    [InlineData("Host=db")]
    [InlineData("Hots=db;Database=dti")]
    [InlineData("redis:6379,colour=red")]
    public void Problem_UnusableConnectionString_IsNamed(string connection) =>
        Assert.NotNull(ClusterDatabase.Problem(connection));

    [Fact]
    public void Violations_NoCluster_AreNone() => Assert.Empty(Violations(new ClusterOptions()));

    [Fact]
    public void Violations_RoleWithoutDatabase_NamesRole() =>
        Assert.Equal("Cluster.Role", Assert.Single(Violations(new ClusterOptions { Role = "worker" })).Field);

    [Theory]
    [InlineData("10.1.2.3", "TLS")] // nobody may join by reaching the port
    [InlineData("0.0.0.0", "IP address")]
    [InlineData("gpu-1", "IP address")]
    public void Violations_Address_NamesWhatIsNeeded(string address, string expected)
    {
        var violation = Assert.Single(Violations(_redis with { Address = address }));

        Assert.Equal("Cluster.Address", violation.Field);
        Assert.Contains(expected, violation.Description, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("s3://", null, null, "Cluster.Storage")]
    [InlineData("shared/dti", null, null, "Cluster.Storage")]
    [InlineData("s3://dti/team", "minio:9000", null, "Cluster.StorageEndpoint")]
    [InlineData("s3://dti/team", null, "key", "Cluster.StorageSecret")]
    public void Violations_StorageThatCannotBeUsed_NamesTheSetting(
        string storage,
        string? endpoint,
        string? keyId,
        string field
    ) =>
        Assert.Equal(
            field,
            Assert
                .Single(Violations(_redis with { Storage = storage, StorageEndpoint = endpoint, StorageKeyId = keyId }))
                .Field
        );

    [Theory]
    [InlineData("s3://dti")]
    [InlineData("s3://dti/team")]
    [InlineData("/srv/dti")]
    public void Violations_Storage_AreNone(string storage) =>
        Assert.Empty(Violations(_redis with { Storage = storage }));

    [Fact]
    public void Violations_Tls_NeedsACertificateOfTheCluster()
    {
        using var authority = Certificates.Authority();
        using var other = Certificates.Authority();
        using var host = Certificates.For(IPAddress.Loopback, authority);
        var (certificate, key) = Certificates.Write(_folder.FullName, "host", host);
        var (ca, _) = Certificates.Write(_folder.FullName, "ca", authority);
        var (wrong, _) = Certificates.Write(_folder.FullName, "wrong", other);
        var cluster = _redis with { Address = "10.1.2.3", TlsCertificate = certificate, TlsKey = key, Ca = ca };

        Assert.Empty(Violations(cluster));
        Assert.Equal("Cluster.TlsCertificate", Assert.Single(Violations(cluster with { Ca = wrong })).Field);
        Assert.Equal("Cluster.TlsKey", Assert.Single(Violations(cluster with { TlsKey = null })).Field);
    }

    [Fact]
    public void JobFolder_Cluster_IsSharedByItsHostsAlone()
    {
        using var first = Open(_redis);
        using var second = Open(_redis);

        Assert.Null(first.Problem());
        Assert.Null(second.Problem());
        Assert.Contains("cluster", Refusal(new ClusterOptions()), StringComparison.Ordinal);
        Assert.Contains("'dti'", Refusal(_redis with { Service = "other" }), StringComparison.Ordinal);
    }

    [Fact]
    public void JobFolder_OfOneServer_IsNotTakenOverByACluster()
    {
        Open(new ClusterOptions()).Dispose();
        Directory.CreateDirectory(Path.Combine(_folder.FullName, "default"));

        Assert.Contains("not a host of a cluster", Refusal(_redis), StringComparison.Ordinal);
    }

    [Fact]
    public void IsNewest_LaterAttemptOfAnotherHost_EndsTheFirst()
    {
        using var first = Open(_redis);
        using var second = Open(_redis);
        var jobId = Guid.NewGuid().ToString("N");
        Directory.CreateDirectory(first.Of(jobId));
        using var early = first.Events(jobId).OpenWriter(1, first: 0);
        Assert.True(first.Events(jobId).IsNewest(1));

        using var late = second.Events(jobId).OpenWriter(2, first: 0);

        Assert.False(first.Events(jobId).IsNewest(1));
    }

    private JobFolder Open(ClusterOptions cluster) => new(Options(cluster));

    private string Refusal(ClusterOptions cluster) =>
        Assert.Throws<DtiException>(() => Open(cluster).Dispose()).Message;

    private IEnumerable<FieldViolation> Violations(ClusterOptions cluster) =>
        ClusterChecks.Violations(Options(cluster));

    private DtiServerOptions Options(ClusterOptions cluster) =>
        new()
        {
            ConceptFolder = Path.Combine(_folder.FullName, "concepts"),
            JobFolder = _folder.FullName,
            Cluster = cluster,
        };
}
