using System.Globalization;
using Dti.Server.Configuration;
using Dti.Server.Errors;

namespace Dti.Server.Libraries;

/// <summary>
/// The disk under the concept library: below a minimum of free bytes nothing new is begun, so that what runs can end.
/// </summary>
internal sealed class DiskSpace(DtiServerOptions options)
{
    /// <summary>Checks that there is room.</summary>
    /// <exception cref="Dti.Engine.DtiException">There is less than <see cref="DtiServerOptions.MinFreeDiskBytes"/>
    /// (RESOURCE_EXHAUSTED).</exception>
    public void EnsureRoom()
    {
        if (Problem() is { } problem)
        {
            throw Refusals.ResourceExhausted(problem, "DISK_LOW", TimeSpan.FromMinutes(1));
        }
    }

    /// <summary>Why nothing new is begun; null: there is room.</summary>
    public string? Problem() =>
        FreeBytes(options.ConceptFolder) is { } free && free < options.MinFreeDiskBytes
            ? $"The disk of the concept library has {MiB(free)} left, and below {MiB(options.MinFreeDiskBytes)} nothing new is begun. Free some space and try again."
            : null;

    /// <summary>
    /// Bytes that this process may still write below a folder, there or yet to be made; null: unknown.
    /// </summary>
    public static long? FreeBytes(string folder)
    {
        for (var place = new DirectoryInfo(folder); place is not null; place = place.Parent)
        {
            if (place.Exists)
            {
                try
                {
                    return new DriveInfo(
                        OperatingSystem.IsWindows() ? place.Root.FullName : place.FullName
                    ).AvailableFreeSpace;
                }
                catch (Exception error) when (error is IOException or UnauthorizedAccessException or ArgumentException)
                {
                    return null; // a share has no drive
                }
            }
        }

        return null;
    }

    private static string MiB(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.#} MiB");
}
