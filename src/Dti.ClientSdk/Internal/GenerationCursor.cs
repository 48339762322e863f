namespace Dti.ClientSdk.Internal;

/// <summary>
/// What of the events of a generation or an interpolation the caller has seen, however often its request was sent.
/// </summary>
internal sealed class GenerationCursor : IJobCursor<GenerationUpdate>
{
    private readonly HashSet<GenerationWarning> _warnings = [];
    private readonly HashSet<int> _images = [];
    private GenerationUpdate? _accepted;
    private int? _queuePosition;

    /// <summary>The job, once it was accepted; another one after the request was sent again.</summary>
    public string? JobId { get; private set; }

    /// <summary>What the first request resolved to; null: it was not accepted yet.</summary>
    public GenerationSettings? Settings { get; private set; }

    /// <inheritdoc/>
    public bool Finished { get; private set; }

    /// <inheritdoc/>
    public int Step { get; private set; }

    /// <inheritdoc/>
    public GenerationUpdate? Take(GenerationUpdate update) =>
        update switch
        {
            GenerationAccepted accepted => Accept(accepted, accepted.JobId, accepted.Settings),
            InterpolationAccepted accepted => Accept(accepted, accepted.JobId, accepted.Settings),
            _ => IsNew(update) ? update : null,
        };

    /// <inheritdoc/>
    public GenerationUpdate ConnectionLost(DateTimeOffset since, DateTimeOffset until) =>
        new GenerationConnectionLost(since, until);

    private bool IsNew(GenerationUpdate update)
    {
        switch (update)
        {
            case GenerationQueued queued when Step > 0 || _queuePosition <= queued.Position:
                return false;
            case GenerationQueued queued:
                _queuePosition = queued.Position;
                return true;
            case SamplingProgress progress when progress.Step <= Step:
                return false;
            case SamplingProgress progress:
                Step = progress.Step;
                return true;
            case GeneratedPicture image:
                return _images.Add(image.Picture.Index);
            case GenerationWarning warning:
                return _warnings.Add(warning);
            default:
                Finished |= update is GenerationResult;
                return true;
        }
    }

    // A request that was sent again is another job, which the caller has to know; its settings are the same.
    private GenerationUpdate? Accept(GenerationUpdate accepted, string jobId, GenerationSettings settings)
    {
        var isKnown = JobId == jobId;
        JobId = jobId;
        Settings ??= settings;
        _accepted ??= accepted;
        return (isKnown, _accepted) switch
        {
            (true, _) => null,
            (false, GenerationAccepted first) => first with { JobId = jobId },
            (false, InterpolationAccepted first) => first with { JobId = jobId },
            _ => accepted,
        };
    }
}
