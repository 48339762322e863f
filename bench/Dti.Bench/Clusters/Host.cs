using System.Diagnostics;
using System.Globalization;

namespace Dti.Bench.Clusters;

/// <summary>
/// A host of the cluster: its process is started again whenever it ends, as a service manager does, until
/// <see cref="StopAsync"/>.
/// </summary>
/// <param name="name">Its name.</param>
/// <param name="command">Starts it.</param>
/// <param name="environment">Variables for it.</param>
/// <param name="folder">Where its log goes.</param>
internal sealed class Host(
    string name,
    string[] command,
    IReadOnlyDictionary<string, string> environment,
    string folder
) : IAsyncDisposable
{
    private static readonly TimeSpan _restartAfter = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _lock = new();
    private Process? _process;
    private Task _supervision = Task.CompletedTask;
    private bool _killed;

    /// <summary>Its name.</summary>
    public string Name => name;

    /// <summary>How often it ended without having been killed by <see cref="Kill"/>.</summary>
    public int OwnEnds { get; private set; }

    /// <summary>Starts it.</summary>
    public void Start() => _supervision = Task.Run(SuperviseAsync);

    /// <summary>Ends its process with SIGKILL; another one is started.</summary>
    public void Kill()
    {
        lock (_lock)
        {
            _killed = true;
            _process?.Kill();
        }
    }

    /// <summary>Asks its process to end with a signal; another one is started.</summary>
    public void Signal(string signal)
    {
        lock (_lock)
        {
            _killed = true;
            if (_process is { } process)
            {
                ChildProcess.Output("kill", $"-{signal}", process.Id.ToString(CultureInfo.InvariantCulture));
            }
        }
    }

    /// <summary>Ends it for good.</summary>
    public async Task StopAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        Kill();
        await _supervision.ConfigureAwait(false);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync().ConfigureAwait(false);
        _stopping.Dispose();
    }

    private async Task SuperviseAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            // the shell writes the log, as a pipe would have to be read by this process
            var start = new ProcessStartInfo("/bin/sh", ["-c", "exec \"$@\" >>\"$LOG\" 2>&1", name, .. command])
            {
                Environment = { ["LOG"] = Path.Combine(folder, $"{name}.log") },
            };
            foreach (var (variable, value) in environment)
            {
                start.Environment[variable] = value;
            }

            using var process = Process.Start(start)!;
            lock (_lock)
            {
                _killed = false;
                _process = process;
                if (_stopping.IsCancellationRequested)
                {
                    process.Kill();
                }
            }

            await process.WaitForExitAsync().ConfigureAwait(false);
            lock (_lock)
            {
                _process = null;
                OwnEnds += _killed ? 0 : 1;
            }

            await Task.Delay(_restartAfter, _stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
