using System.Diagnostics;
using System.Text.Json;

namespace Dti.Bench;

/// <summary><c>dti serve</c> in a process of its own, on a free port.</summary>
internal static class ServerProcess
{
    /// <summary>Starts it, and waits until it listens.</summary>
    /// <param name="program">The built <c>dti</c>.</param>
    /// <param name="data">Its data folder.</param>
    /// <param name="environment">Variables for it.</param>
    /// <param name="log">Takes each line of its log; null: that goes to this program's.</param>
    /// <param name="words">Further options of <c>dti serve</c>.</param>
    /// <returns>The process, the address for gRPC, and that of Prometheus' page if it was asked for.</returns>
    /// <exception cref="InvalidOperationException">It did not start.</exception>
    public static async Task<(Process Process, string Address, string? Metrics)> StartAsync(
        string program,
        string data,
        Dictionary<string, string> environment,
        Action<string>? log,
        params string[] words
    )
    {
        var start = new ProcessStartInfo(program, ["serve", "--port", "0", "--json", "--data", data, .. words])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = log is not null,
        };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        if (log is not null)
        {
            process.ErrorDataReceived += (_, line) =>
            {
                if (line.Data is { } text)
                {
                    log(text);
                }
            };
            process.BeginErrorReadLine();
        }

        var line = await process.StandardOutput.ReadLineAsync().ConfigureAwait(false)
            ?? throw new InvalidOperationException("the server did not start");
        _ = process.StandardOutput.ReadToEndAsync();
        var listening = JsonDocument.Parse(line).RootElement;
        return (
            process,
            listening.GetProperty("address").GetString()!,
            listening.TryGetProperty("metrics_address", out var metrics) ? metrics.GetString() : null
        );
    }

    /// <summary>MiB of memory that a process has now.</summary>
    public static double ResidentMebibytes(Process process)
    {
        process.Refresh();
        return process.WorkingSet64 / (double)(1 << 20);
    }
}
