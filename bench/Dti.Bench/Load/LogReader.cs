using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json;

namespace Dti.Bench.Load;

/// <summary>
/// What a server wrote to its log, as JSON: warnings and errors, each with its cause among the faults that the bench
/// makes, if it has one.
/// </summary>
internal sealed class LogReader(SmallDisk disk, Stalls stalls)
{
    private readonly ConcurrentQueue<Line> _lines = new();

    /// <param name="Time">When.</param>
    /// <param name="Level">Warning, Error or Critical.</param>
    /// <param name="Id">Of the event, by its category.</param>
    /// <param name="Category">Who wrote it.</param>
    /// <param name="Text">The message, and the exception.</param>
    public sealed record Line(DateTimeOffset Time, string Level, int Id, string Category, string Text);

    /// <summary>Lines of any level.</summary>
    public int Count { get; private set; }

    /// <summary>Takes a line of the log.</summary>
    public void Read(string text)
    {
        Count++;
        if (!text.StartsWith('{'))
        {
            _lines.Enqueue(new Line(DateTimeOffset.UtcNow, "Critical", 0, "stderr", text)); // the runtime's last words
            return;
        }

        using var json = JsonDocument.Parse(text);
        var line = json.RootElement;
        var level = line.GetProperty("LogLevel").GetString()!;
        if (level is "Warning" or "Error" or "Critical")
        {
            var exception = line.TryGetProperty("Exception", out var thrown) ? "\n" + thrown.GetString() : "";
            _lines.Enqueue(
                new Line(
                    DateTimeOffset.Parse(line.GetProperty("Timestamp").GetString()!, CultureInfo.InvariantCulture),
                    level,
                    line.GetProperty("EventId").GetInt32(),
                    line.GetProperty("Category").GetString()!,
                    line.GetProperty("Message").GetString() + exception
                )
            );
        }
    }

    /// <summary>Warnings and errors by what wrote them and why.</summary>
    public IEnumerable<(string Level, string What, string? Cause, int Times)> Kinds =>
        _lines
            .GroupBy(line =>
                (
                    line.Level,
                    What: $"{line.Category[(line.Category.LastIndexOf('.') + 1)..]} {line.Id}",
                    Cause: CauseOf(line)
                )
            )
            .Select(kind => (kind.Key.Level, kind.Key.What, kind.Key.Cause, kind.Count()))
            .OrderBy(kind => kind.What, StringComparer.Ordinal);

    /// <summary>Those without a cause.</summary>
    public IEnumerable<Line> Unexplained => _lines.Where(line => CauseOf(line) is null);

    private string? CauseOf(Line line)
    {
        return (Says("disk is full") || Says("No space left")) && disk.WasFull(line.Time, line.Time)
                ? "the disk was full"
            : line.Id == 4 && Says("There is no concept") ? "its concept was deleted before its turn"
            : line.Id == 9 && Says("Could not find a part of the path") ? "its concept was deleted while it was trained"
            : Says("Thread Pool execution stalled") && stalls.Any(line.Time, TimeSpan.FromSeconds(30))
                ? "the machine stood still"
            : null;

        bool Says(string words) => line.Text.Contains(words, StringComparison.Ordinal);
    }
}
