namespace Dti.ClientSdk.Internal;

/// <summary>
/// What of a job's events the caller has seen, so that a replay after a lost connection adds neither gap nor duplicate.
/// </summary>
/// <typeparam name="TUpdate">The kind of event.</typeparam>
internal interface IJobCursor<TUpdate>
    where TUpdate : class
{
    /// <summary>The job, once it was accepted.</summary>
    string? JobId { get; }

    /// <summary>True after the last event.</summary>
    bool Finished { get; }

    /// <summary>The step that a replay starts with.</summary>
    int Step { get; }

    /// <summary>Notes an event; gives what the caller sees of it, null if they have it already.</summary>
    TUpdate? Take(TUpdate update);

    /// <summary>The event of a wait for the server.</summary>
    /// <param name="since">When the connection was lost.</param>
    /// <param name="until">When the client gives up.</param>
    TUpdate ConnectionLost(DateTimeOffset since, DateTimeOffset until);
}
