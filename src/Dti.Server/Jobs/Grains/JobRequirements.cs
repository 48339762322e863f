namespace Dti.Server.Jobs.Grains;

/// <summary>What a job needs of the host that runs it. Stored with the job and sent between silos.</summary>
[GenerateSerializer]
[Immutable]
[Alias("dti.job-requirements")]
internal sealed record JobRequirements
{
    /// <summary>The model's name.</summary>
    [Id(0)]
    public required string Model { get; init; }

    /// <summary>Its fingerprint where the job was accepted (<see cref="Libraries.ModelFingerprint"/>).</summary>
    [Id(1)]
    public string Fingerprint { get; init; } = "";

    /// <summary>The name of the autoencoder that replaces the model's own; empty: none.</summary>
    [Id(2)]
    public string Vae { get; init; } = "";

    /// <summary>fp32, bf16 or fp16.</summary>
    [Id(3)]
    public string Dtype { get; init; } = "";

    /// <summary>Bytes of the weights.</summary>
    [Id(4)]
    public long WeightBytes { get; init; }

    /// <summary>Bytes of the weights and of what the job computes with, where the memory policy is low.</summary>
    [Id(5)]
    public long LowBytes { get; init; }

    /// <summary>The same where it is balanced.</summary>
    [Id(6)]
    public long BalancedBytes { get; init; }

    /// <summary>The same where it is high.</summary>
    [Id(7)]
    public long HighBytes { get; init; }

    /// <summary>The job's model on a host; null: the host lacks it, or has another one of that name.</summary>
    public AnnouncedModel? On(HostAnnouncement host) =>
        host.Models.FirstOrDefault(model => model.Name == Model && model.Fingerprint == Fingerprint);

    /// <summary>Whether a device of a host can run the job.</summary>
    public bool AreMetBy(HostAnnouncement host, AnnouncedDevice device) =>
        On(host) is { } model && HasVae(host) && Supports(device) && BytesOn(model) <= device.JobBytes && Fits(device);

    /// <summary>Whether a host has the autoencoder.</summary>
    public bool HasVae(HostAnnouncement host) => Vae.Length == 0 || host.Vaes.Contains(Vae, StringComparer.Ordinal);

    /// <summary>Whether a device computes in the job's dtype: CPUs do not compute in fp16.</summary>
    public bool Supports(AnnouncedDevice device) => Dtype != "fp16" || device.Kind != "cpu";

    /// <summary>Bytes of memory that the job takes with a host's model.</summary>
    public long BytesOn(AnnouncedModel model) =>
        model.MemoryPolicy switch
        {
            "low" => LowBytes,
            "balanced" => BalancedBytes,
            _ => HighBytes,
        };

    private bool Fits(AnnouncedDevice device) => WeightBytes <= device.ModelBytes;
}
