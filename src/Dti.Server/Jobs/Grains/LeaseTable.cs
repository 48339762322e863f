namespace Dti.Server.Jobs.Grains;

/// <summary>
/// The leases of devices on jobs. When heartbeats of a device are overdue or do not name the job, its lease is
/// suspended: the job is queued again. If the device returns before another one has acquired the job, the lease is
/// restored. A device that begins another incarnation has lost its leases.
/// </summary>
/// <param name="devices">The heartbeats of devices.</param>
internal sealed class LeaseTable(DeviceHeartbeats devices)
{
    // heartbeats in which a device has not named a job; one may have been on its way when it got it
    private const int MaxUnnamed = 3;

    private readonly Dictionary<string, (string Device, string Incarnation)> _suspended = new(StringComparer.Ordinal);

    /// <summary>Records a heartbeat.</summary>
    public void Heartbeat(string device, string incarnation) => devices.Record(device, incarnation);

    /// <summary>To be called every period, before <see cref="Overdue"/> is asked.</summary>
    public void Tick() => devices.Tick();

    /// <summary>Grants a device the lease on a job, and ends a suspended one.</summary>
    public void Grant(QueueEntry entry, string device, string incarnation)
    {
        _suspended.Remove(entry.Ticket.JobId);
        (entry.Device, entry.Incarnation) = (device, incarnation);
    }

    /// <summary>Ends the lease on a job, the suspended one too.</summary>
    public void Revoke(QueueEntry entry)
    {
        _suspended.Remove(entry.Ticket.JobId);
        (entry.Device, entry.Incarnation) = (null, null);
    }

    /// <summary>Suspends a lease whose device does not respond; the process may only be paused.</summary>
    public void Suspend(QueueEntry entry)
    {
        _suspended[entry.Ticket.JobId] = (entry.Device!, entry.Incarnation!);
        (entry.Device, entry.Incarnation) = (null, null);
    }

    /// <summary>Restores the suspended leases of a device on jobs that it names.</summary>
    /// <returns>The jobs that are no longer queued.</returns>
    public IReadOnlyList<QueueEntry> Restore(
        string device,
        string incarnation,
        IReadOnlyCollection<string> named,
        IReadOnlyCollection<QueueEntry> entries
    ) =>
        Restore(
            entries,
            [.. named.Where(jobId => _suspended.TryGetValue(jobId, out var holder) && holder == (device, incarnation))]
        );

    /// <summary>
    /// Restores the leases that were suspended when a device's earlier incarnation died, so that they are lost with it.
    /// </summary>
    /// <returns>The jobs that are no longer queued.</returns>
    public IReadOnlyList<QueueEntry> RestoreOfEarlier(
        string device,
        string incarnation,
        IReadOnlyCollection<QueueEntry> entries
    ) =>
        Restore(
            entries,
            [
                .. _suspended
                    .Where(lease => lease.Value.Device == device && lease.Value.Incarnation != incarnation)
                    .Select(lease => lease.Key),
            ]
        );

    /// <summary>Jobs that a device has not named in several heartbeats running, this one included.</summary>
    public IReadOnlyList<QueueEntry> Unnamed(
        string device,
        string incarnation,
        IReadOnlyCollection<string> named,
        IReadOnlyCollection<QueueEntry> entries
    )
    {
        var known = devices.Record(device, incarnation);
        QueueEntry[] unnamed =
        [
            .. entries.Where(entry =>
                entry.Device == device && entry.Incarnation == incarnation && !named.Contains(entry.Ticket.JobId)
            ),
        ];
        known.Unnamed = unnamed.ToDictionary(
            entry => entry.Ticket.JobId,
            entry => known.Unnamed.GetValueOrDefault(entry.Ticket.JobId) + 1,
            StringComparer.Ordinal
        );
        return [.. unnamed.Where(entry => known.Unnamed[entry.Ticket.JobId] >= MaxUnnamed)];
    }

    /// <summary>Jobs of devices whose heartbeats are overdue.</summary>
    public IReadOnlyList<QueueEntry> Overdue(IReadOnlyCollection<QueueEntry> entries) =>
        [.. entries.Where(entry => entry.Device is not null && devices.IsOverdue(entry.Device, entry.Incarnation!))];

    /// <summary>Jobs of incarnations whose devices have begun another one.</summary>
    public IReadOnlyList<QueueEntry> Lost(IReadOnlyCollection<QueueEntry> entries) =>
        [.. entries.Where(entry => entry.Device is not null && devices.HasRestarted(entry.Device, entry.Incarnation!))];

    private List<QueueEntry> Restore(IReadOnlyCollection<QueueEntry> entries, string[] jobs)
    {
        var restored = new List<QueueEntry>();
        foreach (var jobId in jobs)
        {
            _suspended.Remove(jobId, out var holder);
            if (entries.FirstOrDefault(entry => entry.Ticket.JobId == jobId) is { IsWaiting: true } entry)
            {
                (entry.Device, entry.Incarnation) = holder;
                restored.Add(entry);
            }
        }

        return restored;
    }
}
