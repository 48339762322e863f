using Dti.Server.Configuration;
using Dti.Server.Jobs.Grains;
using Dti.Server.Libraries;
using Dti.Server.Telemetry;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>
/// Stores the metadata of this host's models for the other hosts, and reads that of models which only other hosts have.
/// </summary>
internal sealed class ModelMetadataExchange(
    JobSilo silo,
    ModelLibrary models,
    RemoteModels remote,
    SharedModelMetadata shared,
    DtiServerOptions options,
    TimeProvider time,
    ILogger<ModelMetadataExchange> logger
) : BackgroundService
{
    private static readonly TimeSpan _every = TimeSpan.FromSeconds(5); // as hosts announce themselves
    private readonly Lazy<DirectoryInfo> _folder = new(() => Directory.CreateTempSubdirectory("dti-models-"));

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        new Backoff(time, logger.ModelMetadataFailed, logger.ModelMetadataResponsive).RepeatAsync(
            () => ExchangeAsync(stoppingToken),
            _every,
            stoppingToken
        );

    public override void Dispose()
    {
        base.Dispose();
        if (_folder.IsValueCreated)
        {
            _folder.Value.Delete(recursive: true);
        }
    }

    private async Task ExchangeAsync(CancellationToken cancellationToken)
    {
        var hosts = await (await silo.QueueAsync()).HostsAsync().WaitAsync(cancellationToken);
        var announced = hosts.Select(host => host.Announcement).ToLookup(host => host.Host == options.Cluster.HostName);
        foreach (var model in announced[true].SelectMany(host => host.Models))
        {
            // only now, as it looks at every file of every model
            if (
                !shared.IsStored(model.Fingerprint)
                && models.List().FirstOrDefault(entry => entry.IsHere && entry.Name == model.Name) is { } entry
                && models.FingerprintOf(entry) == model.Fingerprint
            )
            {
                await shared.StoreAsync(model.Fingerprint, (entry.Profile ?? entry.Incomplete)!, cancellationToken);
            }
        }

        if (!options.Cluster.AcceptsCalls)
        {
            return;
        }

        // also of models that this host has: the library prefers its own
        foreach (var same in announced[false].SelectMany(host => host.Models).GroupBy(model => model.Name))
        {
            await AddAsync(same.Key, MostCommon(same), cancellationToken);
        }
    }

    private static string MostCommon(IEnumerable<AnnouncedModel> models) =>
        models
            .GroupBy(model => model.Fingerprint, StringComparer.Ordinal)
            .OrderByDescending(same => same.Count())
            .ThenBy(same => same.Key, StringComparer.Ordinal)
            .First()
            .Key;

    private async Task AddAsync(string name, string fingerprint, CancellationToken cancellationToken)
    {
        if (remote.Entries.Any(entry => entry.Name == name && entry.Fingerprint == fingerprint))
        {
            return;
        }

        var folder = Path.Combine(_folder.Value.FullName, Guid.NewGuid().ToString("N"));
        if (await shared.FetchAsync(fingerprint, folder, cancellationToken) is { } path)
        {
            remote.Set(name, fingerprint, path);
        }
    }
}
