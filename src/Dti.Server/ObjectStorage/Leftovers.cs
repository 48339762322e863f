namespace Dti.Server.ObjectStorage;

/// <summary>
/// What nothing refers to in the storage or the folder of a cluster. It is left alone while it is new, since another
/// host may be about to refer to it, or may still be reading it.
/// </summary>
internal static class Leftovers
{
    /// <summary>The age from which on it is deleted. Clocks of hosts differ by less than that.</summary>
    public static readonly TimeSpan MinAge = TimeSpan.FromHours(1);

    /// <summary>Whether something is old enough to be deleted.</summary>
    public static bool IsOld(DateTimeOffset modified, DateTimeOffset now) => now - modified > MinAge;
}
