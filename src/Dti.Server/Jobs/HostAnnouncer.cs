using Dti.Engine.Runtime.Devices;
using Dti.Server.Configuration;
using Dti.Server.Jobs.Grains;
using Dti.Server.Libraries;
using Dti.Server.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>Announces this host to the queue every few seconds: its role, and what its device can run.</summary>
internal sealed class HostAnnouncer(
    JobSilo silo,
    ModelLibrary models,
    VaeLibrary vaes,
    ModelCache loaded,
    ComputeTarget target,
    DtiServerOptions options,
    TimeProvider time,
    ILogger<HostAnnouncer> logger
) : BackgroundService
{
    private static readonly TimeSpan _every = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _scanEvery = TimeSpan.FromSeconds(30); // looks at every file of every model
    private (IReadOnlyList<(ModelEntry Entry, string Fingerprint)> Models, IReadOnlyList<string> Vaes)? _found;
    private long _scanned;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new Backoff(time, logger.QueueUnresponsive, logger.QueueResponsive).RepeatAsync(
            () => AnnounceAsync(stoppingToken),
            _every,
            stoppingToken
        );

    private async Task AnnounceAsync(CancellationToken cancellationToken)
    {
        var address = await silo.AddressAsync().WaitAsync(cancellationToken);
        var announcement = Announcement(address);
        Measure(announcement);
        await (await silo.QueueAsync()).AnnounceAsync(announcement).WaitAsync(cancellationToken);
    }

    private static void Measure(HostAnnouncement host)
    {
        HostTelemetry.Host(host.Role, host.Version, host.Devices is [var first, ..] ? first.Kind : "none");
        foreach (var device in host.Devices)
        {
            HostTelemetry.Memory(device.Name, device.JobBytes, device.JobBytes - device.FreeBytes);
        }

        foreach (var model in host.Models)
        {
            HostTelemetry.Model(model.Name, model.IsLoaded);
        }
    }

    private HostAnnouncement Announcement(SiloAddress address)
    {
        var host = new HostAnnouncement
        {
            Host = options.Cluster.HostName,
            Role = options.Cluster.Role,
            Version = ServerVersion.Text,
            Silo = address,
        };
        return options.Cluster.RunsJobs
            ? host with
            {
                Devices = [Device()],
                Models = [.. Found().Models.Select(model => Model(model.Entry, model.Fingerprint))],
                Vaes = Found().Vaes,
            }
            : host;
    }

    private AnnouncedDevice Device() =>
        new(
            DeviceWorker.NameOf(options, target.DeviceName),
            target.DeviceName.Split(':')[0],
            target.DtypeName,
            DeviceMemory.TotalBytes(target.Device) ?? loaded.JobBytes,
            loaded.JobBytes,
            Math.Max(0, loaded.JobBytes - loaded.UsedBytes),
            loaded.BudgetBytes
        );

    private AnnouncedModel Model(ModelEntry entry, string fingerprint)
    {
        var profile = (entry.Profile ?? entry.Incomplete)!;
        return new(
            entry.Name,
            fingerprint,
            profile.Family,
            loaded.MemoryBytes(profile),
            loaded.PolicyOf(profile).Name,
            loaded.Holds(profile)
        );
    }

    private (IReadOnlyList<(ModelEntry Entry, string Fingerprint)> Models, IReadOnlyList<string> Vaes) Found()
    {
        if (_found is null || time.GetElapsedTime(_scanned) > _scanEvery)
        {
            _found = (
                [
                    .. models
                        .List()
                        .Where(entry => entry.IsHere && (entry.Profile ?? entry.Incomplete) is not null)
                        .Select(entry => (entry, models.FingerprintOf(entry)))
                        .Where(model => model.Item2.Length > 0),
                ],
                vaes.Names
            );
            _scanned = time.GetTimestamp();
        }

        return _found.Value;
    }
}
