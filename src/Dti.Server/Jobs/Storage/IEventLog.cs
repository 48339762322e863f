using Dti.Server.Jobs.Grains;
using Google.Protobuf;

namespace Dti.Server.Jobs.Storage;

/// <summary>
/// The log of a job. Each attempt writes a separate part. What it writes after a newer attempt has begun does not count.
/// </summary>
internal interface IEventLog
{
    /// <summary>Begins the part of an attempt. From then on no earlier attempt may write.</summary>
    /// <param name="epoch">The attempt.</param>
    /// <param name="first">How many events there are.</param>
    /// <exception cref="IOException">The disk is full, or the folder cannot be written.</exception>
    /// <exception cref="Engine.DtiException">The storage of the cluster does not answer.</exception>
    IEventWriter OpenWriter(int epoch, long first);

    /// <summary>Whether an attempt is the newest.</summary>
    bool IsNewest(int epoch);

    /// <summary>Events from a number on, as many as are there.</summary>
    IEnumerable<JobEvent> Read(long from);
}

/// <summary>Writes an attempt's events.</summary>
internal interface IEventWriter : IDisposable
{
    /// <summary>Number of the next event.</summary>
    long Next { get; }

    /// <summary>Appends an event.</summary>
    /// <exception cref="IOException">The disk is full, or too many events wait to be stored.</exception>
    JobEvent Append(int step, IMessage message);

    /// <summary>Ends when all events that were appended are stored, so that no other host misses them.</summary>
    /// <exception cref="Engine.DtiException">The storage of the cluster does not answer; another call tries
    /// again.</exception>
    Task StoreAsync();
}
