namespace Dti.ClientSdk.Internal;

/// <summary>
/// What of a training job's events the caller has seen, so that a replay after a lost connection adds neither gap nor
/// duplicate. The server replays a step as a whole, and a connection can drop between a step's progress and its
/// previews: so a replay starts at the last step seen, not after it, and what was seen of it is left out.
/// </summary>
internal sealed class TrainingCursor(int fromStep = 0) : IJobCursor<TrainingUpdate>
{
    private readonly HashSet<TrainingWarning> _warnings = [];
    private readonly HashSet<(int Step, int Index)> _previews = [];
    private int _progressStep;
    private int _checkStep = -1;
    private int? _queuePosition;

    /// <summary>The job, once it was accepted.</summary>
    public string? JobId { get; private set; }

    /// <summary>True after the last event.</summary>
    public bool Finished { get; private set; }

    /// <summary>The step that a replay starts with.</summary>
    public int Step { get; private set; } = fromStep;

    /// <summary>Notes an event; false if the caller has it already.</summary>
    public bool IsNew(TrainingUpdate update) =>
        update switch
        {
            TrainingAccepted accepted => Accept(accepted.JobId),
            TrainingQueued queued => Queue(queued.Position),
            TrainingProgress progress => progress.Step > _progressStep && Reach(_progressStep = progress.Step),
            TrainingCheck check => check.Step > _checkStep && Reach(_checkStep = check.Step),
            TrainingPreview preview => preview.Step >= Step
                && _previews.Add((preview.Step, preview.Picture.Index))
                && Reach(preview.Step),
            TrainingWarning warning => _warnings.Add(warning),
            TrainingResult => Finished = true,
            _ => true,
        };

    /// <inheritdoc/>
    public TrainingUpdate? Take(TrainingUpdate update) => IsNew(update) ? update : null;

    /// <inheritdoc/>
    public TrainingUpdate ConnectionLost(DateTimeOffset since, DateTimeOffset until) =>
        new TrainingConnectionLost(since, until);

    private bool Accept(string jobId)
    {
        if (JobId is not null)
            return false;
        JobId = jobId;
        return true;
    }

    // A replay shows places in the queue again; they no longer matter once the job has started.
    private bool Queue(int position)
    {
        if (_progressStep > 0 || _queuePosition <= position)
            return false;
        _queuePosition = position;
        return true;
    }

    private bool Reach(int step)
    {
        Step = Math.Max(Step, step);
        return true;
    }
}
