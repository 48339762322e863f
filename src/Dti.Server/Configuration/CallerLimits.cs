using Dti.Engine;

namespace Dti.Server.Configuration;

/// <summary>
/// What each caller may have at most, those with the scope admin too. Null, the default: what the server as a whole may
/// have.
/// </summary>
public sealed record CallerLimits
{
    /// <summary>Jobs waiting, 1 or more.</summary>
    public int? MaxQueuedJobs { get; init; }

    /// <summary>
    /// Bytes of concepts and trainings on disk, 1 or more; who has as many begins no training and imports nothing. What
    /// is remembered of finished jobs is not counted: callers cannot delete it, and <see
    /// cref="DtiServerOptions.JobHistory"/> and <see cref="DtiServerOptions.JobHistoryAge"/> bound it.
    /// </summary>
    public long? MaxStoredBytes { get; init; }

    /// <summary>
    /// Images and frames asked for within an hour, 1 or more; previews of trainings are not counted. Forgotten when
    /// the server ends.
    /// </summary>
    public int? MaxPicturesPerHour { get; init; }

    /// <summary>What is wrong with these limits themselves.</summary>
    internal IEnumerable<FieldViolation> Violations() =>
        new[]
        {
            (nameof(MaxQueuedJobs), MaxQueuedJobs),
            (nameof(MaxStoredBytes), MaxStoredBytes),
            (nameof(MaxPicturesPerHour), MaxPicturesPerHour),
        }
            .Where(limit => limit.Item2 < 1)
            .Select(limit => new FieldViolation(
                $"{nameof(DtiServerOptions.PerCaller)}.{limit.Item1}",
                $"{nameof(DtiServerOptions.PerCaller)}.{limit.Item1} is {limit.Item2}; it must be 1 or more."
            ));
}
