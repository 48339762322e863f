using System.Net;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using Dti.Server.Configuration;
using Dti.Server.Diagnosis;
using Dti.Tests;
using Grpc.Core;
using Grpc.Net.Client;

namespace Dti.Bench.Clusters;

/// <summary>
/// Gateways and workers on hosts of their own, with TLS among each other and for callers, a database, and a folder that
/// they share.
/// </summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    private const int Port = 5171;
    private readonly Network _network = new();
    private readonly X509Certificate2 _authority = Certificates.Authority();
    private readonly Dictionary<string, string> _addresses = [];
    private readonly List<Host> _hosts = [];
    private readonly string[] _program;
    private bool _isDisposed;
    private string _token = "";

    private BenchCluster(string kind, string[] program, string folder)
    {
        (_program, Folder) = (program, folder);
        Database = new Database(kind, "db", _network.Add("db"), folder);
        Certificates.Write(folder, "ca", _authority);
    }

    /// <summary>Where everything is.</summary>
    public string Folder { get; }

    /// <summary>The database.</summary>
    public Database Database { get; }

    /// <summary>The hosts, gateways first.</summary>
    public IReadOnlyList<Host> Hosts => _hosts;

    /// <summary>The addresses of the gateways.</summary>
    public IReadOnlyList<string> Gateways =>
        [.. _addresses.Where(host => IsGateway(host.Key)).Select(host => host.Value)];

    /// <summary>Starts a cluster without hosts.</summary>
    /// <param name="kind">postgres or redis.</param>
    /// <param name="program">Runs a host whose settings are in its environment.</param>
    /// <param name="dti">The built <c>dti</c>.</param>
    /// <param name="folder">Where everything goes.</param>
    public static async Task<BenchCluster> StartAsync(string kind, string[] program, string dti, string folder)
    {
        var cluster = new BenchCluster(kind, program, folder);
        try
        {
            await cluster.Database.ReadyAsync().ConfigureAwait(false);
            await cluster.InitializeAsync().ConfigureAwait(false);
            var created = ChildProcess.Output(
                dti,
                "tokens",
                "create",
                "bench",
                "--scope",
                "admin",
                "--data",
                cluster.Data,
                "--json"
            );
            cluster._token = JsonDocument.Parse(created).RootElement.GetProperty("token").GetString()!;
            return cluster;
        }
        catch
        {
            await cluster.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Whether a host is a gateway.</summary>
    public static bool IsGateway(string host) => host.StartsWith('g');

    /// <summary>Starts a host.</summary>
    /// <param name="name">Its name; that of a gateway begins with g.</param>
    /// <param name="more">Further variables.</param>
    public Host Start(string name, IReadOnlyDictionary<string, string>? more = null)
    {
        var address = _addresses[name] = _network.Add(name);
        using var certificate = Certificates.For(IPAddress.Parse(address), _authority);
        var (file, key) = Certificates.Write(Folder, name, certificate);
        var environment = new Dictionary<string, string>
        {
            ["DTI_ADDRESS"] = address,
            ["DTI_PORT"] = $"{Port}",
            ["DTI_STUDIO"] = "false",
            ["DTI_CONCEPT_FOLDER"] = Path.Combine(Data, "concepts"),
            ["DTI_JOB_FOLDER"] = Path.Combine(Data, "jobs"),
            ["DTI_MODELS"] = Folders.Fixture("tiny-sd15"),
            ["DTI_DEVICE"] = "cpu",
            ["DTI_SECURITY__TLS_CERTIFICATE"] = file,
            ["DTI_SECURITY__TLS_KEY"] = key,
            ["DTI_SECURITY__TOKEN_FILE"] = Path.Combine(Data, "tokens.json"),
            ["DTI_CLUSTER__CONNECTION"] = Database.Connection,
            ["DTI_CLUSTER__ROLE"] = IsGateway(name) ? "gateway" : "worker",
            ["DTI_CLUSTER__HOST"] = name,
            ["DTI_CLUSTER__ADDRESS"] = address,
            ["DTI_CLUSTER__TLS_CERTIFICATE"] = file,
            ["DTI_CLUSTER__TLS_KEY"] = key,
            ["DTI_CLUSTER__CA"] = Path.Combine(Folder, "ca.pem"),
            ["OMP_NUM_THREADS"] = "1",
        };
        foreach (var (variable, value) in more ?? new Dictionary<string, string>())
        {
            environment[variable] = value;
        }

        var host = new Host(name, Network.On(name, _program), environment, Folder);
        _hosts.Add(host);
        host.Start();
        return host;
    }

    /// <summary>A channel to a gateway, which notices within seconds that a connection is dead.</summary>
    public GrpcChannel Connect(string gateway)
    {
        var trust = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
        };
        trust.CustomTrustStore.Add(_authority);
        var credentials = CallCredentials.FromInterceptor(
            (_, metadata) =>
            {
                metadata.Add("authorization", $"Bearer {_token}");
                return Task.CompletedTask;
            }
        );
        return GrpcChannel.ForAddress(
            $"https://{gateway}:{Port}",
            new GrpcChannelOptions
            {
                MaxReceiveMessageSize = null,
                Credentials = ChannelCredentials.Create(ChannelCredentials.SecureSsl, credentials),
                DisposeHttpClient = true,
                HttpHandler = new SocketsHttpHandler
                {
                    SslOptions = new SslClientAuthenticationOptions { CertificateChainPolicy = trust },
                    ConnectTimeout = TimeSpan.FromSeconds(3),
                    KeepAlivePingDelay = TimeSpan.FromSeconds(3),
                    KeepAlivePingTimeout = TimeSpan.FromSeconds(3),
                    EnableMultipleHttp2Connections = true,
                },
            }
        );
    }

    /// <summary>Waits until each gateway answers.</summary>
    public async Task ReadyAsync()
    {
        foreach (var gateway in Gateways)
        {
            using var channel = Connect(gateway);
            var jobs = new V1.JobService.JobServiceClient(channel);
            await Patiently.DoAsync(async () => await jobs.ListAsync(new())).ConfigureAwait(false);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        await Task.WhenAll(_hosts.Select(host => host.StopAsync())).ConfigureAwait(false);
        await Database.DisposeAsync().ConfigureAwait(false);
        _network.Dispose();
        _authority.Dispose();
    }

    private string Data => Path.Combine(Folder, "data");

    private Task<string> InitializeAsync() =>
        Patiently.DoAsync(async () =>
            await ClusterSetup
                .InitializeAsync(
                    new DtiServerOptions
                    {
                        ConceptFolder = "",
                        Cluster = new ClusterOptions { Connection = Database.Connection },
                    }
                )
                .ConfigureAwait(false)
        );
}
