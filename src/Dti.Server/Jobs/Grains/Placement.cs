using Dti.Engine;
using Dti.Server.Errors;
using Dti.Server.Libraries;

namespace Dti.Server.Jobs.Grains;

/// <summary>
/// Decides which waiting jobs a device may acquire: those that it can run. A job waits some time for a host that has
/// its model in memory.
/// </summary>
/// <param name="hosts">The hosts of the cluster.</param>
/// <param name="modelWait">How long a job waits for a host that has its model in memory.</param>
/// <param name="time">A monotonic clock.</param>
/// <param name="settled">How long after the start of the queue each host has announced itself.</param>
internal sealed class Placement(HostTable hosts, TimeSpan modelWait, TimeProvider time, TimeSpan settled)
{
    private static readonly TimeSpan _retryAfter = TimeSpan.FromSeconds(30);
    private readonly long _started = time.GetTimestamp();

    /// <summary>
    /// How long a device leaves a job to others, by what the job requires (null: nothing) and how long it has waited.
    /// Zero: the device may acquire it; null: the device cannot run it.
    /// </summary>
    /// <param name="device">The device's name.</param>
    public Func<JobRequirements?, TimeSpan, TimeSpan?> DelaysOf(string device)
    {
        var own = hosts.Find(device);
        HostAnnouncement[] others =
        [
            .. hosts.Alive.Where(host => host.Host != own?.Host.Host && host.Models.Any(model => model.IsLoaded)),
        ];
        return (needs, waited) =>
            needs is null ? TimeSpan.Zero
            : own is not { } known || !needs.AreMetBy(known.Host, known.Device) ? null
            : waited >= modelWait
            || needs.On(known.Host) is { IsLoaded: true }
            || !others.Any(host =>
                needs.On(host) is { IsLoaded: true } && host.Devices.Any(other => needs.AreMetBy(host, other))
            )
                ? TimeSpan.Zero
            : modelWait - waited;
    }

    /// <summary>The refusal of a job that no host can run; null: one can, or the hosts are not known yet.</summary>
    public DtiException? Refusal(JobRequirements? needs)
    {
        HostAnnouncement[] workers = [.. hosts.Alive.Where(host => host.Devices.Count > 0)];
        if (
            needs is null
            || workers.Length == 0 // jobs wait for the first
            || time.GetElapsedTime(_started) < settled
            || workers.Any(host => host.Devices.Any(device => needs.AreMetBy(host, device)))
        )
        {
            return null;
        }

        HostAnnouncement[] having = [.. workers.Where(host => needs.On(host) is not null)];
        return having.Length == 0
            ? workers.Any(host => host.Models.Any(model => model.Name == needs.Model))
                ? Refusals.FailedPrecondition(
                    $"The model '{needs.Model}' of the workers is not the one of this host: their files differ. Copy the same files to every host.",
                    "MODEL_DIFFERS"
                )
                : Refusals.Unavailable(
                    $"No worker that runs now has the model '{needs.Model}'. Start one that has it, or put it into a model folder of one.",
                    "MODEL_UNAVAILABLE",
                    _retryAfter
                )
            : !having.Any(needs.HasVae)
                ? Refusals.Unavailable(
                    $"No worker that runs now has the VAE '{needs.Vae}' and the model '{needs.Model}'.",
                    "MODEL_UNAVAILABLE",
                    _retryAfter
                )
                : !having.SelectMany(host => host.Devices).Any(needs.Supports)
                    ? Refusals.FailedPrecondition(
                        $"The workers that have the model '{needs.Model}' compute on a CPU, which has no {needs.Dtype}: use fp32 or bf16.",
                        "DTYPE_UNSUPPORTED"
                    )
                    : TooLarge(needs, having);
    }

    private static DtiException TooLarge(JobRequirements needs, HostAnnouncement[] having)
    {
        var needed = having.Min(host => needs.BytesOn(needs.On(host)!));
        var available = having.SelectMany(host => host.Devices).Max(device => device.JobBytes);
        return Refusals.JobTooLarge(
            $"The job takes about {MemoryBudget.GiB(needed)} of memory with '{needs.Model}', of which {MemoryBudget.GiB(needs.WeightBytes)} are the model; "
                + $"a job may take {MemoryBudget.GiB(available)} on the largest worker that has the model. Ask for a smaller batch, resolution or image.",
            needed,
            available
        );
    }
}
