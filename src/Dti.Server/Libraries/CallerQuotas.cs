using System.Globalization;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Errors;
using Dti.Server.Security;

namespace Dti.Server.Libraries;

/// <summary>Keeps each caller within <see cref="CallerLimits"/>.</summary>
internal sealed class CallerQuotas(
    DtiServerOptions options,
    ConceptLibrary library,
    TrainingRuns runs,
    TimeProvider time
)
{
    private static readonly TimeSpan _hour = TimeSpan.FromHours(1);
    private readonly CallerLimits _limits = options.PerCaller;
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Queue<(long At, int Pictures)>> _generated = new(StringComparer.Ordinal);

    /// <summary>
    /// Asks for a job, as the last thing before it is queued: where it is let in, its images are counted.
    /// </summary>
    /// <param name="caller">The caller's id.</param>
    /// <param name="queued">How many of the caller's jobs wait.</param>
    /// <param name="pictures">Number of images that the job would generate (<see
    /// cref="Jobs.Grains.JobTicket.Pictures"/>).</param>
    /// <returns>Null: it is let in. Else RESOURCE_EXHAUSTED with when to come back, or INVALID_ARGUMENT if it asks for
    /// more than there ever is.</returns>
    public DtiException? Admit(string caller, int queued, int pictures)
    {
        if (queued >= _limits.MaxQueuedJobs)
        {
            return Refusals.ResourceExhausted(
                $"{queued} of your jobs are waiting; this server allows each caller {_limits.MaxQueuedJobs}.",
                "CALLER_QUEUE_FULL",
                TimeSpan.FromSeconds(30)
            );
        }

        if (pictures == 0 || _limits.MaxPicturesPerHour is not { } most)
        {
            return null;
        }

        if (pictures > most)
        {
            return new ValidationException([
                new(
                    "options.num_images",
                    $"{pictures} images are asked for; this server allows each caller {most} an hour."
                ),
            ]);
        }

        lock (_lock)
        {
            foreach (
                var gone in _generated
                    .Where(pair => !pair.Value.Any(batch => time.GetElapsedTime(batch.At) < _hour))
                    .Select(pair => pair.Key)
                    .ToArray()
            )
            {
                _generated.Remove(gone);
            }

            if (!_generated.TryGetValue(caller, out var drawn))
            {
                _generated.Add(caller, drawn = new());
            }

            while (drawn.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) >= _hour)
            {
                drawn.Dequeue();
            }

            var over = drawn.Sum(batch => batch.Pictures) + pictures - most;
            if (over <= 0)
            {
                drawn.Enqueue((time.GetTimestamp(), pictures));
                return null;
            }

            // when enough of them are an hour old
            var free = _hour - time.GetElapsedTime(drawn.First(batch => (over -= batch.Pictures) <= 0).At);
            return Refusals.ResourceExhausted(
                $"This server allows each caller {most} images an hour; there is room for these {pictures} in {Minutes(free)}.",
                "CALLER_PICTURES_SPENT",
                free
            );
        }
    }

    /// <summary>Refuses a caller who has stored as much as it may.</summary>
    /// <exception cref="DtiException">RESOURCE_EXHAUSTED.</exception>
    public void EnsureRoom(Caller caller)
    {
        if (
            _limits.MaxStoredBytes is { } most
            && library.BytesOf(caller.Id) + runs.BytesOf(caller.Id) is var stored
            && stored >= most
        )
        {
            throw Refusals.ResourceExhausted(
                $"Your concepts and trainings take {Mebibytes(stored)} of the {Mebibytes(most)} that this server allows each caller; delete some.",
                "CALLER_STORAGE_FULL",
                TimeSpan.FromMinutes(1)
            );
        }
    }

    private static string Minutes(TimeSpan time) =>
        time < TimeSpan.FromMinutes(1)
            ? "less than a minute"
            : $"{Math.Ceiling(time.TotalMinutes).ToString(CultureInfo.InvariantCulture)} minutes";

    private static string Mebibytes(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.###} MiB");
}
