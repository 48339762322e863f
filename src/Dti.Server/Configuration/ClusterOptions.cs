using System.Text;

namespace Dti.Server.Configuration;

/// <summary>
/// The cluster that a server is a host of: several servers that share one queue of jobs. Without a connection, the
/// server is alone.
/// </summary>
public sealed record ClusterOptions
{
    /// <summary>
    /// The database in which the hosts find each other and store the state of jobs: PostgreSQL as
    /// <c>Host=db;Database=dti;Username=dti;Password=…</c>, or Redis as <c>redis:6379,password=…</c>. Null: no cluster.
    /// </summary>
    public string? Connection { get; init; }

    /// <summary>
    /// What this host does: gateway (accepts calls), worker (runs jobs) or all (both). Default all.
    /// </summary>
    public string Role { get; init; } = "all";

    /// <summary>Name of the cluster: hosts with the same name find each other. Default dti.</summary>
    public string Id { get; init; } = "dti";

    /// <summary>
    /// Name under which the database stores the state of jobs; several services can share a database. Default dti.
    /// </summary>
    public string Service { get; init; } = "dti";

    /// <summary>Name of this host, unique in the cluster. Null: the name of the machine.</summary>
    public string? Host { get; init; }

    /// <summary>
    /// IP address at which the other hosts reach this one; any but a loopback one needs TLS. Default 127.0.0.1.
    /// </summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Port at which the other hosts reach this one, 0 to 65535; 0: any free one. Default 11111.</summary>
    public int Port { get; init; } = 11111;

    /// <summary>
    /// How long a job waits for a worker that has its model in memory, before another worker loads the model for it: 0
    /// to 1 hour. Default 5 seconds.
    /// </summary>
    public TimeSpan ModelWait { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>PEM file of the certificate that this host shows to the other hosts.</summary>
    public string? TlsCertificate { get; init; }

    /// <summary>PEM file of the certificate's private key, without a password.</summary>
    public string? TlsKey { get; init; }

    /// <summary>PEM file of the authority that signs the certificates of this cluster's hosts, and no others.</summary>
    public string? Ca { get; init; }

    /// <summary>
    /// Whether the host collects what Orleans' dashboard shows and, if it accepts calls by HTTP/1.1, shows it at
    /// <c>/orleans/</c> to callers with the scope admin. Default false.
    /// </summary>
    public bool Dashboard { get; init; }

    /// <summary>
    /// Where the hosts store jobs, snapshots and the concept library: <c>s3://bucket/prefix</c>, or the full path of a
    /// folder that all of them mount. Each host then needs a separate ConceptFolder and JobFolder. Null: the hosts share
    /// these two folders.
    /// </summary>
    public string? Storage { get; init; }

    /// <summary>
    /// Address of a service with the interface of S3, such as <c>https://minio:9000</c>. Null: the one of AWS.
    /// </summary>
    public string? StorageEndpoint { get; init; }

    /// <summary>Region of the bucket. Null: what the AWS SDK finds; us-east-1 if there is an endpoint.</summary>
    public string? StorageRegion { get; init; }

    /// <summary>
    /// Id of the access key of S3. Null: what the AWS SDK finds (environment, shared files, role of the machine).
    /// </summary>
    public string? StorageKeyId { get; init; }

    /// <summary>The secret of the access key of S3.</summary>
    public string? StorageSecret { get; init; }

    /// <summary>How long a host that starts tries to reach all others.</summary>
    internal TimeSpan JoinTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>Whether the server is a host of a cluster.</summary>
    internal bool IsUsed => Connection is not null;

    /// <summary>Whether the hosts store what they share in <see cref="Storage"/>.</summary>
    internal bool HasStorage => IsUsed && Storage is not null;

    /// <summary>Whether the host accepts calls.</summary>
    internal bool AcceptsCalls => Role != "worker";

    /// <summary>Whether the host runs jobs.</summary>
    internal bool RunsJobs => Role != "gateway";

    /// <summary>The name of this host.</summary>
    internal string HostName => Host ?? Environment.MachineName;

    /// <summary>Whether the hosts use TLS among each other.</summary>
    internal bool HasTls => TlsCertificate is not null || TlsKey is not null || Ca is not null;

    // Options end up in logs; the password of the database and the secret of the storage must not.
    private bool PrintMembers(StringBuilder text)
    {
        text.Append("Connection = ")
            .Append(Connection is null ? "none" : "set")
            .Append(", Role = ")
            .Append(Role)
            .Append(", Id = ")
            .Append(Id)
            .Append(", Service = ")
            .Append(Service)
            .Append(", Host = ")
            .Append(HostName)
            .Append(", Address = ")
            .Append(Address)
            .Append(", Port = ")
            .Append(Port)
            .Append(", ModelWait = ")
            .Append(ModelWait)
            .Append(", Storage = ")
            .Append(Storage ?? "none");
        return true;
    }
}
