using Dti.Engine;
using Dti.Engine.Training;
using Dti.Server.Libraries;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>
/// Writes a run's snapshots: those to keep, one every few seconds for the case that the process is killed, and the last one however the run
/// ends. A full disk costs snapshots, never the training.
/// </summary>
internal sealed class SnapshotKeeper(TrainingRuns runs, string name, TrainingSettings settings, TimeProvider time, ILogger logger) : IDisposable
{
    private static readonly TimeSpan _longestUnsaved = TimeSpan.FromSeconds(10);
    private TrainingSnapshot? _newest;
    private long _saved = time.GetTimestamp();
    private int _savedStep;

    /// <summary>Takes note of a step that was done.</summary>
    /// <param name="trainer">At that step.</param>
    /// <returns>Why its snapshot could not be written; null: it was, or need not be.</returns>
    public string? Note(Trainer trainer)
    {
        _newest?.Dispose();
        _newest = trainer.Snapshot();
        var kept = settings.SnapshotEvery > 0 && _newest.Step % settings.SnapshotEvery == 0;
        return kept || _newest.Step == settings.Steps || time.GetElapsedTime(_saved) > _longestUnsaved ? Save() : null;
    }

    /// <summary>Writes what is newest, if it is not yet written.</summary>
    public void Dispose()
    {
        if (_newest is not null && _newest.Step != _savedStep)
        {
            Save();
        }

        _newest?.Dispose();
    }

    private string? Save()
    {
        try
        {
            _saved = time.GetTimestamp();
            runs.Save(name, _newest!, settings.SnapshotEvery);
            _savedStep = _newest!.Step;
            return null;
        }
        catch (DtiException error)
        {
            logger.SnapshotUnwritten(name, _newest!.Step, error.Message);
            return error.Message;
        }
    }
}
