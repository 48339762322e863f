using System.Diagnostics;
using System.Text;

namespace Dti.Test;

/// <summary>Runs programs, with no input and a time limit.</summary>
internal static class Shell
{
    /// <summary>Runs a program to its end.</summary>
    /// <returns>True if it ended with exit code 0 in time.</returns>
    public static bool Run(string folder, string program, IEnumerable<string> arguments, TimeSpan limit, out string output, bool echo = false)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["NO_PROXY"] = start.Environment["no_proxy"] = "localhost,127.0.0.1,[::1]"; // where tests' servers are
        var text = new StringBuilder();
        void Take(object _, DataReceivedEventArgs line)
        {
            if (line.Data is null)
            {
                return;
            }

            lock (text)
            {
                text.AppendLine(line.Data);
            }

            if (echo)
            {
                Console.WriteLine(line.Data);
            }
        }

        using var process = new Process { StartInfo = start };
        process.OutputDataReceived += Take;
        process.ErrorDataReceived += Take;
        try
        {
            process.Start();
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            output = $"{program} cannot be started: {error.Message}";
            return false;
        }

        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        var inTime = process.WaitForExit(limit);
        if (!inTime)
        {
            process.Kill(entireProcessTree: true);
            text.AppendLine(program + " ran out of time and was stopped.");
        }

        process.WaitForExit();
        lock (text)
        {
            output = text.ToString();
        }

        return inTime && process.ExitCode == 0;
    }
}
