using System.Net;
using Dti.Engine;
using Dti.Engine.Imaging;
using Dti.Engine.Runtime.Devices;

namespace Dti.Server.Configuration;

/// <summary>Everything that can be set about a server; every limit is here.</summary>
public sealed record DtiServerOptions
{
    private static readonly string _shipped = Path.Combine(AppContext.BaseDirectory, "models", "dti-mini");

    /// <summary>The port where nothing else is asked.</summary>
    public const int DefaultPort = 5171;

    /// <summary>
    /// IP address to listen on; any but a loopback one needs TLS and a token, or a client's certificate. Default
    /// 127.0.0.1.
    /// </summary>
    public string Address { get; init; } = "127.0.0.1";

    /// <summary>Port, 0 to 65535; 0: any free one. Default 5171.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>
    /// Port for callers by HTTP/1.1, that is browsers: JSON and gRPC-Web; 0: any free one; null: none. Default null.
    /// </summary>
    public int? WebPort { get; init; }

    /// <summary>Pages that may call from a browser, by origin: <c>http://localhost:3000</c>. Default: none.</summary>
    public IReadOnlyList<string> WebOrigins { get; init; } = [];

    /// <summary>
    /// Whether browsers get the page Dti Studio: on <see cref="WebPort"/>, and with TLS on <see cref="Port"/> too.
    /// Default true.
    /// </summary>
    public bool Studio { get; init; } = true;

    /// <summary>
    /// Port of Prometheus' page, <c>/metrics</c>, by HTTP/1.1; 0: any free one; null: none. Default null.
    /// </summary>
    public int? MetricsPort { get; init; }

    /// <summary>Address of that port, which has no authentication. Default 127.0.0.1.</summary>
    public string MetricsAddress { get; init; } = "127.0.0.1";

    /// <summary>
    /// How long a connection with calls under way may be idle before the server asks whether the caller is still
    /// there, and how long it then waits for the answer: 1 second to 1 hour. Default 30 seconds.
    /// </summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// How long the server continues to answer after it was asked to stop and says that it is not serving, 0 to 1 hour;
    /// for balancers. Default 0.
    /// </summary>
    public TimeSpan DrainTime { get; init; }

    /// <summary>
    /// How long it then waits for jobs to stop, which takes a step, and for calls to end: up to 1 hour. Default 2
    /// minutes.
    /// </summary>
    public TimeSpan StopTimeout { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>What the log is written as: text, or json, one object a line with the scopes. Default text.</summary>
    public string LogFormat { get; init; } = "text";

    /// <summary>
    /// Models (diffusers folders, or single safetensors files), folders with some below them, ComfyUI's folder or its
    /// <c>models</c>, or an <c>extra_model_paths.yaml</c>. Those that do not exist are passed over.
    /// </summary>
    public IReadOnlyList<string> ModelFolders { get; init; } = [];

    /// <summary>
    /// Folder of a model that is always available, in addition to <see cref="ModelFolders"/>; null: none. Default: the
    /// one in the program's folder.
    /// </summary>
    public string? BuiltInModel { get; init; } = _shipped;

    /// <summary>The concept library's folder; made if it is not there.</summary>
    public required string ConceptFolder { get; init; }

    /// <summary>
    /// Used where a request names no model; null: the first usable one in <see cref="ModelFolders"/>, else <see
    /// cref="BuiltInModel"/>.
    /// </summary>
    public string? DefaultModel { get; init; }

    /// <summary>auto, cpu, cuda or cuda:N. Default auto.</summary>
    public string Device { get; init; } = "auto";

    /// <summary>Used where a request names none: auto, fp32, bf16 or fp16. Default auto.</summary>
    public string Dtype { get; init; } = "auto";

    /// <summary>
    /// Bytes of memory that models may take together, above 0; null: four fifths of what the device has.
    /// </summary>
    public long? ModelMemoryBytes { get; init; }

    /// <summary>
    /// Bytes of memory that a job may take, the model's weights and what it computes with together, above 0; what is
    /// estimated to take more is refused. Null: what the device has.
    /// </summary>
    public long? JobMemoryBytes { get; init; }

    /// <summary>
    /// What models trade for memory: auto, low, balanced or high. Default auto, which goes by what the device has. See
    /// <see cref="MemoryPolicy"/>.
    /// </summary>
    public string Memory { get; init; } = "auto";

    /// <summary>Largest message taken, bytes, 1 MiB to 1 GiB. Default 64 MiB.</summary>
    public int MaxMessageBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>
    /// Bytes of all requests that are being received or whose calls still hold them, <see cref="MaxMessageBytes"/> × 2
    /// to 64 GiB. Null: four times <see cref="MaxMessageBytes"/>.
    /// </summary>
    public long? MaxBytesInFlight { get; init; }

    /// <summary>Most jobs waiting, 1 to 10,000. Default 32.</summary>
    public int MaxQueuedJobs { get; init; } = 32;

    /// <summary>
    /// Folder of the jobs, which outlive the server there; one server alone may use it. Null: a passing one, that goes
    /// with the server. Default null.
    /// </summary>
    public string? JobFolder { get; init; }

    /// <summary>Finished jobs that are remembered, 1 to 100,000. Default 200.</summary>
    public int JobHistory { get; init; } = 200;

    /// <summary>
    /// The longest that a training continues without a snapshot, which is what a killed server loses of it; 0: one each
    /// step. Default 10 s.
    /// </summary>
    public TimeSpan SnapshotInterval { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>How long finished jobs are remembered at most, above 0. Default 30 days.</summary>
    public TimeSpan JobHistoryAge { get; init; } = TimeSpan.FromDays(30);

    /// <summary>Who may call, and TLS.</summary>
    public SecurityOptions Security { get; init; } = new();

    /// <summary>Limits on each photo.</summary>
    public ImageLimits ImageLimits { get; init; } = new(); // not the shared default: configuration writes into it

    /// <summary>What one request may ask.</summary>
    public RequestLimits Limits { get; init; } = new();

    /// <summary>What each caller may have.</summary>
    public CallerLimits PerCaller { get; init; } = new();

    /// <summary>The cluster that the server is a host of.</summary>
    public ClusterOptions Cluster { get; init; } = new();

    /// <summary>
    /// Free bytes of the disk under <see cref="ConceptFolder"/> below which nothing new is begun, 0 or more. Default
    /// 256 MiB.
    /// </summary>
    public long MinFreeDiskBytes { get; init; } = 256L << 20;

    /// <summary>Bytes of requests in flight.</summary>
    internal long BytesInFlight => MaxBytesInFlight ?? (4L * MaxMessageBytes);

    /// <summary>Whether only programs of this machine reach the server.</summary>
    internal bool IsLoopback => IPAddress.TryParse(Address, out var address) && IPAddress.IsLoopback(address);

    /// <summary>Every value that is wrong in itself; the files that options name are not read.</summary>
    internal IReadOnlyList<FieldViolation> Violations()
    {
        var found = new List<FieldViolation>();
        Range(nameof(Port), Port, 0, 65535);
        Range(nameof(WebPort), WebPort ?? 0, 0, 65535);
        Range(nameof(MetricsPort), MetricsPort ?? 0, 0, 65535);
        if (!IPAddress.TryParse(MetricsAddress, out _))
        {
            found.Add(new(nameof(MetricsAddress), $"MetricsAddress '{MetricsAddress}' is not an IP address."));
        }

        foreach (var origin in WebOrigins)
        {
            if (
                !Uri.TryCreate(origin, UriKind.Absolute, out var uri)
                || uri.GetLeftPart(UriPartial.Authority) != origin
            )
            {
                found.Add(
                    new(
                        nameof(WebOrigins),
                        $"'{origin}' is not an origin; write it like http://localhost:3000, without a path."
                    )
                );
            }
        }

        if (ModelMemoryBytes <= 0)
        {
            found.Add(new(nameof(ModelMemoryBytes), $"ModelMemoryBytes is {ModelMemoryBytes}; it must be above 0."));
        }

        if (JobMemoryBytes <= 0)
        {
            found.Add(new(nameof(JobMemoryBytes), $"JobMemoryBytes is {JobMemoryBytes}; it must be above 0."));
        }

        if (!ComputeTarget.IsDeviceName(Device))
        {
            found.Add(new(nameof(Device), $"Device '{Device}' is not one of {ComputeTarget.DeviceNames}."));
        }

        if (!ComputeTarget.IsDtypeName(Dtype))
        {
            found.Add(new(nameof(Dtype), $"Dtype '{Dtype}' is not one of {ComputeTarget.DtypeNames}."));
        }

        if (!MemoryPolicy.IsName(Memory))
        {
            found.Add(new(nameof(Memory), $"Memory '{Memory}' is not one of {MemoryPolicy.Names}."));
        }

        Range(nameof(MaxMessageBytes), MaxMessageBytes, 1 << 20, 1 << 30);
        if (MaxBytesInFlight is { } flying && (flying < 2L * MaxMessageBytes || flying > 64L << 30))
        {
            found.Add(
                new(
                    nameof(MaxBytesInFlight),
                    $"MaxBytesInFlight is {flying}; it must be from twice MaxMessageBytes ({2L * MaxMessageBytes}) to {64L << 30}."
                )
            );
        }

        Range(nameof(MaxQueuedJobs), MaxQueuedJobs, 1, 10_000);
        Range(nameof(JobHistory), JobHistory, 1, 100_000);
        if (SnapshotInterval < TimeSpan.Zero || SnapshotInterval > RequestBounds.MaxTime)
        {
            found.Add(
                new(
                    nameof(SnapshotInterval),
                    $"SnapshotInterval is {SnapshotInterval}; it must be from 0 to {RequestBounds.MaxTime.Days} days."
                )
            );
        }

        if (JobHistoryAge <= TimeSpan.Zero || JobHistoryAge > RequestBounds.MaxTime)
        {
            found.Add(
                new(
                    nameof(JobHistoryAge),
                    $"JobHistoryAge is {JobHistoryAge}; it must be above 0 and at most {RequestBounds.MaxTime.Days} days."
                )
            );
        }

        found.AddRange(Limits.Violations());
        found.AddRange(PerCaller.Violations());
        foreach (
            var (name, value) in new (string, long)[]
            {
                ($"{nameof(ImageLimits)}.{nameof(ImageLimits.MaxBytes)}", ImageLimits.MaxBytes),
                ($"{nameof(ImageLimits)}.{nameof(ImageLimits.MaxPixels)}", ImageLimits.MaxPixels),
                ($"{nameof(ImageLimits)}.{nameof(ImageLimits.MaxSide)}", ImageLimits.MaxSide),
                ($"{nameof(ImageLimits)}.{nameof(ImageLimits.MaxAspectRatio)}", ImageLimits.MaxAspectRatio),
            }.Where(limit => limit.Item2 < 1)
        )
        {
            found.Add(new(name, $"{name} is {value}; it must be above 0."));
        }

        foreach (
            var (name, value) in new[] { (nameof(DrainTime), DrainTime), (nameof(StopTimeout), StopTimeout) }.Where(
                wait => wait.Item2 < TimeSpan.Zero || wait.Item2 > TimeSpan.FromHours(1)
            )
        )
        {
            found.Add(new(name, $"{name} is {value}; it must be from 0 to 1 hour."));
        }

        if (KeepAlive < TimeSpan.FromSeconds(1) || KeepAlive > TimeSpan.FromHours(1))
        {
            found.Add(new(nameof(KeepAlive), $"KeepAlive is {KeepAlive}; it must be from 1 second to 1 hour."));
        }

        if (LogFormat is not ("text" or "json"))
        {
            found.Add(new(nameof(LogFormat), $"LogFormat '{LogFormat}' is neither text nor json."));
        }

        if (MinFreeDiskBytes < 0)
        {
            found.Add(new(nameof(MinFreeDiskBytes), $"MinFreeDiskBytes is {MinFreeDiskBytes}; it must be 0 or more."));
        }

        if (BuiltInModel is { } model && model != _shipped && !Path.Exists(model))
        {
            found.Add(
                new(nameof(BuiltInModel), $"BuiltInModel '{model}' does not exist; correct the path, or leave it out.")
            );
        }

        if (string.IsNullOrWhiteSpace(ConceptFolder))
        {
            found.Add(new(nameof(ConceptFolder), "ConceptFolder must name a folder."));
        }

        return found;

        void Range(string name, int value, int min, int max)
        {
            if (value < min || value > max)
            {
                found.Add(new(name, $"{name} is {value}; it must be from {min} to {max}."));
            }
        }
    }
}
