using Dti.V1;

namespace Dti.Server.Jobs.Grains;

/// <summary>What a host of a cluster tells the queue every few seconds.</summary>
[GenerateSerializer]
[Immutable]
[Alias("dti.host-announcement")]
internal sealed record HostAnnouncement
{
    /// <summary>The host's name, unique in the cluster.</summary>
    [Id(0)]
    public required string Host { get; init; }

    /// <summary>all, gateway or worker.</summary>
    [Id(1)]
    public required string Role { get; init; }

    /// <summary>The version of the program.</summary>
    [Id(2)]
    public required string Version { get; init; }

    /// <summary>The address of its silo, which is another one after each start of the process.</summary>
    [Id(3)]
    public required SiloAddress Silo { get; init; }

    /// <summary>The devices that run jobs; none: a gateway.</summary>
    [Id(4)]
    public IReadOnlyList<AnnouncedDevice> Devices { get; init; } = [];

    /// <summary>The models that its jobs can use.</summary>
    [Id(5)]
    public IReadOnlyList<AnnouncedModel> Models { get; init; } = [];

    /// <summary>The names of the autoencoders that can replace a model's own.</summary>
    [Id(6)]
    public IReadOnlyList<string> Vaes { get; init; } = [];
}

/// <summary>A device of a host.</summary>
/// <param name="Name">Its name in the queue, unique in the cluster: <c>gpu-1/cuda:0</c>.</param>
/// <param name="Kind">cpu or cuda.</param>
/// <param name="Dtype">What it computes in where a request names none: fp32, bf16 or fp16.</param>
/// <param name="MemoryBytes">Bytes of memory in all.</param>
/// <param name="JobBytes">Bytes that a job may take, its model included.</param>
/// <param name="FreeBytes">Of those, what the models of running jobs leave. Idle models are evicted for a job.</param>
/// <param name="ModelBytes">Bytes that models may take together.</param>
[GenerateSerializer]
[Immutable]
[Alias("dti.announced-device")]
internal sealed record AnnouncedDevice(
    [property: Id(0)] string Name,
    [property: Id(1)] string Kind,
    [property: Id(2)] string Dtype,
    [property: Id(3)] long MemoryBytes,
    [property: Id(4)] long JobBytes,
    [property: Id(5)] long FreeBytes,
    [property: Id(6)] long ModelBytes
);

/// <summary>A model of a host.</summary>
/// <param name="Name">Its name in the library.</param>
/// <param name="Fingerprint">Tells models of the same name apart (<see cref="Libraries.ModelFingerprint"/>).</param>
/// <param name="Family">sd1, sdxl, ….</param>
/// <param name="MemoryBytes">Bytes of its weights in the device's dtype.</param>
/// <param name="MemoryPolicy">What it trades for memory on this host: low, balanced or high.</param>
/// <param name="IsLoaded">Whether it is in memory, or is being loaded.</param>
[GenerateSerializer]
[Immutable]
[Alias("dti.announced-model")]
internal sealed record AnnouncedModel(
    [property: Id(0)] string Name,
    [property: Id(1)] string Fingerprint,
    [property: Id(2)] string Family,
    [property: Id(3)] long MemoryBytes,
    [property: Id(4)] string MemoryPolicy,
    [property: Id(5)] bool IsLoaded
);

/// <summary>A host that is alive, as the queue sees it.</summary>
/// <param name="Announcement">What it told last.</param>
/// <param name="Jobs">The jobs that its devices run.</param>
[GenerateSerializer]
[Immutable]
[Alias("dti.host-view")]
internal sealed record HostView(
    [property: Id(0)] HostAnnouncement Announcement,
    [property: Id(1)] IReadOnlyList<RunningJob> Jobs
);

/// <summary>A job that a device runs.</summary>
/// <param name="Device">The device's name in the queue.</param>
/// <param name="JobId">The job.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Step">Steps done.</param>
/// <param name="TotalSteps">Steps asked.</param>
[GenerateSerializer]
[Immutable]
[Alias("dti.running-job")]
internal sealed record RunningJob(
    [property: Id(0)] string Device,
    [property: Id(1)] string JobId,
    [property: Id(2)] JobKind Kind,
    [property: Id(3)] int Step,
    [property: Id(4)] int TotalSteps
);
