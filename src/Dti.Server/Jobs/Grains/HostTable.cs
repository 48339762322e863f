namespace Dti.Server.Jobs.Grains;

/// <summary>
/// What the hosts of the cluster announced last. A host is left out when its silo has left the cluster, and when its
/// announcements are overdue.
/// </summary>
/// <param name="heartbeats">When each host announced itself.</param>
/// <param name="hasLeft">Whether a silo has left the cluster, or is about to.</param>
internal sealed class HostTable(DeviceHeartbeats heartbeats, Func<SiloAddress, bool> hasLeft)
{
    private readonly Dictionary<string, HostAnnouncement> _hosts = new(StringComparer.Ordinal);

    /// <summary>The hosts that are alive, by name.</summary>
    public IReadOnlyList<HostAnnouncement> Alive =>
        [.. _hosts.Values.Where(IsAlive).OrderBy(host => host.Host, StringComparer.Ordinal)];

    /// <summary>A device and its host; null: none that is alive has a device of that name.</summary>
    public (HostAnnouncement Host, AnnouncedDevice Device)? Find(string device)
    {
        foreach (var host in _hosts.Values.Where(IsAlive))
        {
            if (host.Devices.FirstOrDefault(own => own.Name == device) is { } found)
            {
                return (host, found);
            }
        }

        return null;
    }

    /// <summary>Notes that a device begins to load a model, which its host announces a little later.</summary>
    public void NoteLoading(string device, JobRequirements needs)
    {
        if (Find(device) is { } own && needs.On(own.Host) is { IsLoaded: false } model)
        {
            _hosts[own.Host.Host] = own.Host with
            {
                Models = [.. own.Host.Models.Select(other => other == model ? model with { IsLoaded = true } : other)],
            };
        }
    }

    /// <summary>To be called every period.</summary>
    public void Tick()
    {
        heartbeats.Tick();
        foreach (var gone in _hosts.Values.Where(host => !IsAlive(host)).ToList())
        {
            _hosts.Remove(gone.Host);
        }
    }

    /// <summary>Notes what a host announces.</summary>
    /// <returns>Whether it may run other jobs than before.</returns>
    public bool Note(HostAnnouncement announced)
    {
        heartbeats.Record(announced.Host, IncarnationOf(announced));
        var before = _hosts.GetValueOrDefault(announced.Host);
        _hosts[announced.Host] = announced;
        return before is null
            || before.Silo != announced.Silo
            || !before.Models.SequenceEqual(announced.Models)
            || !before.Vaes.SequenceEqual(announced.Vaes);
    }

    private static string IncarnationOf(HostAnnouncement host) => host.Silo.ToParsableString();

    private bool IsAlive(HostAnnouncement host) =>
        !hasLeft(host.Silo) && !heartbeats.IsOverdue(host.Host, IncarnationOf(host));
}
