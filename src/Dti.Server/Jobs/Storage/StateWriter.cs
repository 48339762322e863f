using Dti.Server.Telemetry;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs.Storage;

/// <summary>
/// Writes a grain's state to a disk that may be full. What is asked for happens only once it is written; what has
/// happened already is written as soon as there is room again, and a server that was killed meanwhile detects the full
/// disk again.
/// </summary>
/// <param name="grain">Whose state it is.</param>
/// <param name="what">That in words, for the log.</param>
/// <param name="stored">The state.</param>
/// <param name="written">Done after <see cref="NoteAsync"/> has written.</param>
/// <param name="logger">Hears of a full disk, once until there is room.</param>
internal sealed class StateWriter<T>(
    IGrainBase grain,
    string what,
    IPersistentState<T> stored,
    Action written,
    ILogger logger
)
{
    private static readonly TimeSpan _again = TimeSpan.FromSeconds(2);
    private IGrainTimer? _late;

    /// <summary>Writes what was asked for.</summary>
    /// <param name="undo">Takes it back where it cannot be written.</param>
    /// <exception cref="StateUnwrittenException">It could not be written, and is as if it had not been asked
    /// for.</exception>
    public async Task CommitAsync(Action undo)
    {
        try
        {
            await stored.WriteStateAsync();
        }
        catch
        {
            undo();
            throw;
        }
    }

    /// <summary>The grain goes: the last moment for what is not written yet.</summary>
    public Task EndAsync() => _late is null ? Task.CompletedTask : NoteAsync();

    /// <summary>The state goes: what is not written yet never will be.</summary>
    public void Forget()
    {
        _late?.Dispose();
        _late = null;
    }

    /// <summary>Writes what has happened, now or later.</summary>
    public async Task NoteAsync()
    {
        try
        {
            await stored.WriteStateAsync();
            Forget();
            written();
        }
        catch (StateUnwrittenException error)
        {
            if (_late is null)
            {
                logger.StateUnwritten(what, error.Message);
                _late = grain.RegisterGrainTimer(
                    _ => NoteAsync(),
                    new GrainTimerCreationOptions
                    {
                        DueTime = _again,
                        Period = _again,
                        KeepAlive = true,
                    }
                );
            }
        }
    }
}
