using Dti.Engine;
using Dti.Engine.Runtime.Files;
using Dti.Engine.Training;
using Dti.Server.Libraries;
using Dti.Server.Telemetry;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>
/// Writes a run's snapshots: those to keep, one every few seconds for the case that the process is killed, and the last
/// one however the run ends. A full disk costs snapshots, never the training.
/// </summary>
internal sealed class SnapshotKeeper(
    TrainingRuns runs,
    string name,
    TrainingSettings settings,
    TimeSpan interval,
    JobAttempt attempt,
    TimeProvider time,
    ILogger logger
) : IDisposable
{
    private TrainingSnapshot? _newest;
    private long _saved = time.GetTimestamp();
    private int _savedStep;

    /// <summary>Takes note of a step that was done.</summary>
    /// <param name="session">At that step.</param>
    /// <exception cref="JobLostException">Another process has the job.</exception>
    public void Note(TrainingSession session)
    {
        _newest?.Dispose();
        _newest = session.Snapshot();

        // The last one is written when the concept is, by Dispose: a snapshot that exists means that the training is
        // not finished.
        if (
            _newest.Step < settings.Steps
            && (
                (settings.SnapshotEvery > 0 && _newest.Step % settings.SnapshotEvery == 0)
                || time.GetElapsedTime(_saved) > interval
            )
        )
        {
            Problem = Save() ?? Problem;
        }
    }

    /// <summary>Why a snapshot could not be written; null: each could.</summary>
    public string? Problem { get; private set; }

    /// <summary>Writes what is newest, if it is not yet written.</summary>
    public void Dispose()
    {
        try
        {
            if (_newest is not null && _newest.Step != _savedStep)
            {
                Save();
            }
        }
        catch (JobLostException)
        {
            // The other process has a newer one.
        }

        _newest?.Dispose();
    }

    private string? Save()
    {
        try
        {
            _saved = time.GetTimestamp();
            attempt.EnsureLease();
            attempt.Store(); // an attempt that continues from here tells nothing of what was before
            runs.Save(name, attempt.Run, _newest!, settings.SnapshotEvery);
            _savedStep = _newest!.Step;
            return null;
        }
        catch (Exception error) when (error is DtiException or IOException)
        {
            var why = (error as DtiException ?? AtomicFile.Explain(name, error)).Message;
            logger.SnapshotUnwritten(name, _newest!.Step, why);
            return why;
        }
    }
}
