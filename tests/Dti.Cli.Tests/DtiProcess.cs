using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text;
using System.Text.Json;
using Dti.Tests;

namespace Dti.Cli.Tests;

/// <summary>What a run of the built <c>dti</c> gave.</summary>
internal sealed record DtiResult(int ExitCode, string Output, string Error)
{
    /// <summary>Stdout as one JSON object per line.</summary>
    public IReadOnlyList<JsonElement> Events =>
        [
            .. Output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries)
                .Select(line => JsonDocument.Parse(line).RootElement.Clone()),
        ];

    public IEnumerable<JsonElement> EventsOf(string name) =>
        Events.Where(line => line.GetProperty("event").GetString() == name);

    /// <summary>The only event of that name.</summary>
    public JsonElement Event(string name) => Assert.Single(EventsOf(name));
}

/// <summary>
/// The built <c>dti</c> as a process. Whatever a test waits for ends with the test's limit, and then fails with what
/// the process said. The process ends with <see cref="Dispose"/>, and is killed with the tests' process.
/// </summary>
internal sealed class DtiProcess : IDisposable
{
    /// <summary>
    /// Below the two minutes after which <c>dti test</c> stops a test, and with it the process that runs all of them.
    /// </summary>
    private static readonly TimeSpan _limitOfOneTest = TimeSpan.FromSeconds(100);

    private static readonly ConditionalWeakTable<object, CancellationTokenSource> _limits = [];
    private static readonly BlockingCollection<Action> _starts = StartThread();

    private readonly Process _process;
    private readonly StringBuilder _output = new();
    private readonly Task<string> _error;

    private DtiProcess(Process process)
    {
        _process = process;
        _error = process.StandardError.ReadToEndAsync();
    }

    /// <summary>The <c>dti</c> that the build published, in <c>artifacts/published</c>.</summary>
    public static string Program { get; } =
        Path.GetFullPath(
            Path.Combine(
                AppContext.BaseDirectory,
                "../../published",
                new DirectoryInfo(AppContext.BaseDirectory).Name,
                OperatingSystem.IsWindows() ? "dti.exe" : "dti"
            )
        );

    public int Id => _process.Id;

    /// <summary>
    /// Until the running test's limit; in fixtures, whose time no test counts, for as long from now on.
    /// </summary>
    private static CancellationToken Limit
    {
        get
        {
            var limit = TestContext.Current.Test is { } test
                ? _limits.GetValue(test, _ => new CancellationTokenSource(_limitOfOneTest))
                : new CancellationTokenSource(_limitOfOneTest);
            return CancellationTokenSource
                .CreateLinkedTokenSource(limit.Token, TestContext.Current.CancellationToken)
                .Token;
        }
    }

    public static DtiProcess Start(string folder, params IEnumerable<string> arguments) => Start(folder, [], arguments);

    public static DtiProcess Start(
        string folder,
        Dictionary<string, string> environment,
        params IEnumerable<string> arguments
    ) => StartBy(Program, folder, environment, arguments);

    /// <summary>Starts another program that will start it.</summary>
    public static DtiProcess StartBy(
        string program,
        string folder,
        Dictionary<string, string> environment,
        params IEnumerable<string> arguments
    )
    {
        string[] command = [.. Signals.EndsWithParent, program, .. arguments];
        var start = new ProcessStartInfo(command[0], command[1..])
        {
            WorkingDirectory = folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["DTI_SERVER"] = "",
                ["DTI_MODELS"] = "",
                ["DTI_HOME"] = Path.Combine(folder, "home"),
            },
        };
        foreach (var (name, value) in environment)
            start.Environment[name] = value;
        var started = new TaskCompletionSource<Process>();
        _starts.Add(() =>
        {
            try
            {
                started.SetResult(Process.Start(start)!);
            }
            catch (Exception error)
            {
                started.SetException(error);
            }
        });
        _ = Limit; // the test's time begins
        return new DtiProcess(started.Task.GetAwaiter().GetResult());
    }

    /// <summary>Runs to the end.</summary>
    public static async Task<DtiResult> RunAsync(string folder, params IEnumerable<string> arguments)
    {
        using var process = Start(folder, arguments);
        return await EndAsync(process);
    }

    /// <summary>What a process gave that has not been read by lines, once it ends.</summary>
    public static Task<DtiResult> EndAsync(DtiProcess process) => process.EndAsync();

    /// <summary>What Ctrl+C does.</summary>
    public static void Interrupt(DtiProcess process) => Signals.Send(process.Id, Signals.Interrupt);

    /// <summary>What systemd does.</summary>
    public static void Terminate(DtiProcess process) => Signals.Send(process.Id, Signals.Terminate);

    /// <summary>The next line of stdout.</summary>
    public async Task<string> ReadLineAsync() =>
        await WithinLimitAsync(async limit =>
        {
            var line = await _process.StandardOutput.ReadLineAsync(limit);
            _output.AppendLine(line);
            return line ?? throw new InvalidOperationException($"dti ended{Said()}\n{await _error.WaitAsync(limit)}");
        });

    /// <summary>The next line of stdout, as JSON.</summary>
    public async Task<JsonElement> ReadEventAsync() => JsonDocument.Parse(await ReadLineAsync()).RootElement.Clone();

    public Task<DtiResult> EndAsync() =>
        WithinLimitAsync(async limit =>
        {
            var rest = await _process.StandardOutput.ReadToEndAsync(limit);
            _output.Append(rest);
            var error = await _error.WaitAsync(limit);
            await _process.WaitForExitAsync(limit);
            return new DtiResult(_process.ExitCode, rest, error);
        });

    /// <summary>SIGKILL: nothing is put in order.</summary>
    public async Task KillAsync()
    {
        _process.Kill(entireProcessTree: true);
        await WithinLimitAsync(async limit =>
        {
            await _process.WaitForExitAsync(limit);
            return true;
        });
    }

    public void Dispose()
    {
        if (!_process.HasExited)
            _process.Kill(entireProcessTree: true);
        _process.Dispose();
    }

    private async Task<T> WithinLimitAsync<T>(Func<CancellationToken, Task<T>> wait)
    {
        var limit = Limit;
        try
        {
            return await wait(limit);
        }
        catch (OperationCanceledException) when (limit.IsCancellationRequested)
        {
            _process.Kill(entireProcessTree: true);
            await Task.WhenAny(_error, Task.Delay(TimeSpan.FromSeconds(5)));
            throw new TimeoutException(
                $"dti was stopped: the test took more than {_limitOfOneTest.TotalSeconds} s.{Said()}\n{(_error.IsCompletedSuccessfully ? await _error : "")}"
            );
        }
    }

    private string Said() => $" It said:\n{_output}";

    /// <summary>
    /// A thread that ends with this process: the kernel kills what a thread has started together with the thread (<see
    /// cref="Signals.EndsWithParent"/>).
    /// </summary>
    private static BlockingCollection<Action> StartThread()
    {
        var starts = new BlockingCollection<Action>();
        new Thread(() =>
        {
            foreach (var start in starts.GetConsumingEnumerable())
                start();
        })
        {
            IsBackground = true,
        }.Start();
        return starts;
    }
}
