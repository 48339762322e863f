using System.Globalization;

namespace Dti.Server.Libraries;

/// <summary>
/// Numbers the changes of what the hosts of a cluster each have a copy of. A change with number N is the object
/// <c>NAME/changes/N</c> of the storage.
/// </summary>
internal interface IChangeLog
{
    /// <summary>Appends a change, unless there is a newer one than its author knows.</summary>
    /// <param name="name">What is changed.</param>
    /// <param name="known">The number of the newest change that the author has applied.</param>
    /// <param name="change">The change.</param>
    /// <returns>Whether it was appended, as the number after <paramref name="known"/>. The same change appended once
    /// more counts once.</returns>
    /// <exception cref="Engine.DtiException">The database or the storage of the cluster does not answer. The change may
    /// have been appended nevertheless.</exception>
    Task<bool> AppendAsync(string name, long known, byte[] change);

    /// <summary>The key of a change.</summary>
    static string KeyOf(string name, long number) =>
        string.Create(CultureInfo.InvariantCulture, $"{name}/changes/{number:D12}");

    /// <summary>The number at the end of a key.</summary>
    static long NumberOf(string key) =>
        long.Parse(key.AsSpan(key.LastIndexOf('/') + 1), NumberStyles.None, CultureInfo.InvariantCulture);
}
