using System.ComponentModel;
using System.Diagnostics;

namespace Dti.Cli.Hosting;

/// <summary>The user's browser.</summary>
internal static class Browser
{
    /// <summary>Opens a page; false: no browser could be started.</summary>
    public static bool TryOpen(string address)
    {
        try
        {
            if (OperatingSystem.IsWindows())
            {
                using var opened = Process.Start(new ProcessStartInfo(address) { UseShellExecute = true });
                return true;
            }

            // What a browser prints must not mix with results.
            var start = new ProcessStartInfo(OperatingSystem.IsMacOS() ? "open" : "xdg-open", [address])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            var browser = Process.Start(start);
            browser?.BeginOutputReadLine();
            browser?.BeginErrorReadLine();
            return browser is not null;
        }
        catch (Win32Exception)
        {
            return false;
        }
    }
}
