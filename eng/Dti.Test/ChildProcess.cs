using System.Diagnostics;
using System.Text;
using Dti.Tests;

namespace Dti.Test;

/// <summary>Runs programs without input, each with a time limit. None of them outlives this process.</summary>
internal static class ChildProcess
{
    // The suite keeps the cores busy with several tests at a time. More threads for each operation would only wait for
    // one another.
    private const string OpenMpThreads = "OMP_NUM_THREADS";

    // Programs that live for seconds wait this long (hexadecimal milliseconds, by default 64) before the JIT compiles
    // anything a second time. A program that lives for minutes would compile later what it needs again and again.
    private const string JitDelay = "DOTNET_TC_CallCountingDelayMs";

    private static readonly Lock _lock = new();
    private static readonly HashSet<Process> _running = [];

    /// <summary>Whether <see cref="Stop"/> was called: then no more programs are started.</summary>
    public static bool Stopped { get; private set; }

    /// <summary>
    /// Runs a program to its end. The kernel ends it together with the thread that started it, so this thread must
    /// outlive the program.
    /// </summary>
    /// <param name="folder">The working directory.</param>
    /// <param name="program">The program.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="limit">How long it may take.</param>
    /// <param name="onLine">Sees each line of standard output first; true: the line is not part of the result's
    /// output.</param>
    /// <param name="mustStop">Asked every second for a reason to stop the program; null: there is none.</param>
    /// <param name="startsPrograms">Whether it mostly starts programs that live for seconds.</param>
    public static (bool Succeeded, string Output) Run(
        string folder,
        string program,
        IEnumerable<string> arguments,
        TimeSpan limit,
        Func<string, bool>? onLine = null,
        Func<string?>? mustStop = null,
        bool startsPrograms = false
    )
    {
        string[] command = [.. Signals.EndsWithParent, program, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            // where tests' servers are
            Environment = { ["NO_PROXY"] = "localhost,127.0.0.1,[::1]", ["no_proxy"] = "localhost,127.0.0.1,[::1]" },
        };
        if (!start.Environment.ContainsKey(OpenMpThreads))
        {
            start.Environment[OpenMpThreads] = "1";
        }

        if (startsPrograms)
        {
            start.Environment[JitDelay] = "3E8";
        }

        var text = new StringBuilder();
        void Take(string? line)
        {
            lock (text)
            {
                text.AppendLine(line);
            }
        }

        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) =>
        {
            if (line.Data is not null && onLine?.Invoke(line.Data) is not true)
            {
                Take(line.Data);
            }
        };
        process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is not null)
            {
                Take(line.Data);
            }
        };
        try
        {
            lock (_lock)
            {
                if (Stopped)
                {
                    return (false, "interrupted");
                }

                process.Start();
                _running.Add(process);
            }
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            return (false, $"{program} cannot be started: {error.Message}");
        }

        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var clock = Stopwatch.StartNew();
        string? reason = null;
        while (reason is null && !process.WaitForExit(TimeSpan.FromSeconds(1)))
        {
            reason =
                clock.Elapsed > limit
                    ? $"{program} was stopped: it ran for more than {limit.TotalMinutes} minutes."
                    : mustStop?.Invoke();
        }

        if (reason is not null)
        {
            process.Kill(entireProcessTree: true);
            Take(reason);
        }

        process.WaitForExit(TimeSpan.FromSeconds(10)); // reads the rest, unless a grandchild holds the pipes open
        lock (_lock)
        {
            _running.Remove(process);
        }

        lock (text)
        {
            return (reason is null && process.ExitCode == 0, text.ToString());
        }
    }

    /// <summary>Ends the running programs with all that they have started.</summary>
    public static void Stop()
    {
        lock (_lock)
        {
            Stopped = true;
            foreach (var process in _running)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>The path of a program on <c>PATH</c>; null: there is none.</summary>
    public static string? Find(string program) => FindAll(program).FirstOrDefault();

    /// <summary>The paths of all programs of that name on <c>PATH</c>.</summary>
    public static IEnumerable<string> FindAll(string program)
    {
        var extension = OperatingSystem.IsWindows() && !Path.HasExtension(program) ? new[] { ".exe", ".cmd" } : [""];
        var folders = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(
            Path.PathSeparator,
            StringSplitOptions.RemoveEmptyEntries
        );
        return folders
            .SelectMany(folder => extension.Select(end => Path.Combine(folder, program + end)))
            .Where(File.Exists);
    }
}
