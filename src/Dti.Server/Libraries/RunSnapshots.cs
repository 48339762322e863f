using System.Globalization;
using Dti.Engine.Runtime.Files;

namespace Dti.Server.Libraries;

/// <summary>One start of a job that trains a run.</summary>
/// <param name="JobId">The job.</param>
/// <param name="Number">Which of its starts, from 1.</param>
internal sealed record RunAttempt(string JobId, int Number);

/// <summary>
/// The snapshots of a run, a file for each step and attempt: <c>000100.JOB-0002.safetensors</c>. The file <c>job</c>
/// names the attempt that trains the run now, and the step at which it began. A process that was paused before it wrote
/// a snapshot, and has lost its job meanwhile, therefore replaces no file of the later attempt, and what it writes does
/// not count.
/// </summary>
/// <param name="folder">The run's folder.</param>
internal readonly struct RunSnapshots(string folder)
{
    /// <summary>The name of the file that names the attempt.</summary>
    public const string PointerFile = "job";

    private const string Ending = ".safetensors";

    /// <summary>The attempt that trains the run now and the step at which it began; null: no attempt is known.</summary>
    public (RunAttempt Attempt, int FromStep)? Current
    {
        get
        {
            if (Path.Combine(folder, PointerFile) is var path && !File.Exists(path))
            {
                return null;
            }

            var lines = File.ReadAllText(path).Split('\n');
            return lines.Length == 3
                ? (new RunAttempt(lines[0], Number(lines[1])), Number(lines[2]))
                : (new RunAttempt(lines[0], 0), int.MaxValue); // of an older version: all snapshots count
        }
    }

    /// <summary>The content of the file that names an attempt.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="fromStep">The step at which it begins; 0: at the start.</param>
    public static string Pointer(RunAttempt attempt, int fromStep) =>
        string.Create(CultureInfo.InvariantCulture, $"{attempt.JobId}\n{attempt.Number}\n{fromStep}");

    /// <summary>The name of the file of a snapshot.</summary>
    public static string NameOf(RunAttempt attempt, int step) =>
        string.Create(CultureInfo.InvariantCulture, $"{step:D6}{EndingOf(attempt)}");

    /// <summary>Steps whose snapshots count, in order.</summary>
    public IReadOnlyList<int> Steps => [.. Counted().Select(file => file.Step).Distinct().Order()];

    /// <summary>The newest step of a job's own training or before it, below a step; 0: there is none.</summary>
    public int LastStep(string jobId, int below)
    {
        var from = Current?.FromStep;
        return Counted()
            .Where(file => file.Step < below && (file.By is null || file.By.JobId == jobId || file.Step <= from))
            .Select(file => file.Step)
            .DefaultIfEmpty()
            .Max();
    }

    /// <summary>The file of a step's snapshot; null: there is none that counts.</summary>
    public string? PathOf(int step)
    {
        var current = Current?.Attempt;
        return Counted()
            .Where(file => file.Step == step)
            .OrderByDescending(file => file.By == current)
            .ThenByDescending(file => file.By?.JobId == current?.JobId)
            .ThenByDescending(file => file.By?.Number)
            .FirstOrDefault()
            ?.Path;
    }

    /// <summary>Files that an attempt no longer needs when it has written a snapshot.</summary>
    /// <param name="attempt">The attempt.</param>
    /// <param name="step">The snapshot's step.</param>
    /// <param name="keepEvery">Steps between those that stay; 0: none does.</param>
    public IReadOnlyList<string> Obsolete(RunAttempt attempt, int step, int keepEvery)
    {
        var files = All(); // before the pointer: a later attempt writes that first
        var from = Current is { } current && current.Attempt == attempt ? current.FromStep : (int?)null;
        return
        [
            .. files
                .Where(file => file.By == attempt || (from is not null && !IsLater(file)))
                .Where(file =>
                    (file.Step < step && (keepEvery == 0 || file.Step % keepEvery != 0))
                    || (file.By != attempt && file.By?.JobId == attempt.JobId && file.Step > from)
                )
                .Select(file => file.Path),
        ];

        bool IsLater(SnapshotFile file) => file.By?.JobId == attempt.JobId && file.By.Number > attempt.Number;
    }

    /// <summary>Deletes the drafts that an attempt left.</summary>
    public void DeleteDrafts(RunAttempt attempt, IFileStore? files) =>
        AtomicFile.DeleteDrafts(folder, $"*{EndingOf(attempt)}", files);

    private static string EndingOf(RunAttempt attempt) =>
        string.Create(CultureInfo.InvariantCulture, $".{attempt.JobId}-{attempt.Number:D4}{Ending}");

    private static int Number(ReadOnlySpan<char> digits) =>
        int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private List<SnapshotFile> Counted()
    {
        var files = All();
        return Current is not { } current
            ? files
            : files.FindAll(file =>
                file.By == current.Attempt
                || (
                    file.By?.JobId == current.Attempt.JobId ? file.Step <= current.FromStep : current.FromStep > 0 // the run continues what other jobs have trained
                )
            );
    }

    private List<SnapshotFile> All() =>
        Directory.Exists(folder)
            ? [.. Directory.EnumerateFiles(folder, "*" + Ending).Select(Parse).Where(file => file.Step > 0)]
            : [];

    // A file of an older version has no attempt.
    private static SnapshotFile Parse(string path)
    {
        var parts = Path.GetFileName(path).Split('.');
        var by =
            parts.Length == 3 && parts[1].LastIndexOf('-') is var dash and > 0
                ? new RunAttempt(parts[1][..dash], Number(parts[1].AsSpan(dash + 1)))
                : null;
        return new(path, Number(parts[0]), by);
    }

    private sealed record SnapshotFile(string Path, int Step, RunAttempt? By);
}
