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
    /// <param name="words">Further options of <c>dti serve</c>.</param>
    /// <returns>The process, and the address for gRPC.</returns>
    /// <exception cref="InvalidOperationException">It did not start.</exception>
    public static async Task<(Process Process, string Address)> StartAsync(string program, string data, Dictionary<string, string> environment, params string[] words)
    {
        var start = new ProcessStartInfo(program, ["serve", "--port", "0", "--json", "--data", data, .. words]) { RedirectStandardOutput = true };
        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        var process = Process.Start(start)!;
        var line = await process.StandardOutput.ReadLineAsync().ConfigureAwait(false) ?? throw new InvalidOperationException("the server did not start");
        _ = process.StandardOutput.ReadToEndAsync();
        return (process, JsonDocument.Parse(line).RootElement.GetProperty("address").GetString()!);
    }
}
