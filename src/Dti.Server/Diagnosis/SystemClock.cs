using System.Runtime.InteropServices;

namespace Dti.Server.Diagnosis;

/// <summary>What the system says of its clock.</summary>
internal static class SystemClock
{
    private const int TimeError = 5; // TIME_ERROR of adjtimex(2): nobody keeps it

    /// <summary>Whether the clock is synchronised; null: the system does not say.</summary>
    public static bool? IsSynchronised()
    {
        if (!OperatingSystem.IsLinux())
        {
            return null;
        }

        try
        {
            var timex = new byte[512]; // struct timex, all zero: only read
            return AdjustTime(timex) is var state && state < 0 ? null : state != TimeError;
        }
        catch (EntryPointNotFoundException)
        {
            return null;
        }
    }

    [DllImport("libc", EntryPoint = "adjtimex", SetLastError = true)]
    private static extern int AdjustTime(byte[] timex);
}
