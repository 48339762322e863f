using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Dti.Tests;

/// <summary>POSIX signals of this process and of those that it starts.</summary>
internal static class Signals
{
    public const int Hangup = 1;
    public const int Interrupt = 2;
    public const int Quit = 3;
    public const int Terminate = 15;

    private const string SetPriv = "/usr/bin/setpriv";

    /// <summary>
    /// Words before a command that make the kernel kill it when the thread that starts it ends, so that it outlives no
    /// parent that is killed itself; none where the system has no such means.
    /// </summary>
    public static IReadOnlyList<string> EndsWithParent { get; } =
        OperatingSystem.IsLinux() && File.Exists(SetPriv) ? [SetPriv, "--pdeathsig", "KILL", "--"] : [];

    /// <summary>
    /// Gives signals that this process was told to ignore their default disposition back. Shells make what they start
    /// with <c>&amp;</c> ignore SIGINT, <c>nohup</c> SIGHUP, and child processes inherit that: a test that interrupts
    /// one would wait for ever.
    /// </summary>
    [ModuleInitializer]
    internal static void StopIgnoring()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        const string Field = "SigIgn:";
        var ignored = Convert.ToUInt64(
            File.ReadLines("/proc/self/status")
                .First(line => line.StartsWith(Field, StringComparison.Ordinal))[Field.Length..]
                .Trim(),
            16
        );
        foreach (
            var signal in new[] { Hangup, Interrupt, Quit, Terminate }.Where(signal =>
                (ignored & (1UL << (signal - 1))) != 0
            )
        )
        {
            SetDisposition(signal, 0); // SIG_DFL
        }
    }

    /// <summary>Sends a signal to a process.</summary>
    public static void Send(int processId, int signal)
    {
        if (Kill(processId, signal) != 0)
        {
            throw new InvalidOperationException(
                $"Process {processId} cannot be sent signal {signal}: {Marshal.GetLastPInvokeErrorMessage()}"
            );
        }
    }

    [DllImport("libc", EntryPoint = "signal")]
    private static extern nint SetDisposition(int signal, nint handler);

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int processId, int signal);
}
