using System.Globalization;
using Dti.Server.Diagnosis;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Dti.Cli.Output;

/// <summary>
/// For people: live progress bars at a terminal, plain lines where output is redirected; errors on stderr.
/// </summary>
internal sealed class ConsoleOutput : IOutput
{
    private const int WideTerminal = 100;
    private const int Gaps = 4; // between the columns of a bar, and at its end
    private readonly IAnsiConsole _out;
    private readonly IAnsiConsole _err;
    private readonly bool _live;
    private bool _showsBar;

    public ConsoleOutput(IAnsiConsole? standardOutput = null, IAnsiConsole? standardError = null)
    {
        _out = standardOutput ?? Create(Console.Out);
        _err = standardError ?? Create(Console.Error);
        _live = _out.Profile.Out.IsTerminal && _out.Profile.Capabilities.Ansi;
        if (!_out.Profile.Out.IsTerminal)
            _out.Profile.Width = int.MaxValue; // Never break a line that a program may read.
        if (!_err.Profile.Out.IsTerminal)
            _err.Profile.Width = int.MaxValue;
    }

    public void Event(string name, object value) { }

    public void Line(string text = "") => _out.WriteLine(text);

    public void Table(IReadOnlyList<string> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var table = new Table { Border = TableBorder.None };
        foreach (var column in columns)
            table.AddColumn(
                new TableColumn(new Text(column, new Style(decoration: Decoration.Bold))).PadLeft(0).PadRight(2)
            );
        foreach (var row in rows)
            table.AddRow(row.Select(cell => new Text(cell)));
        _out.Write(table);
    }

    public void Finding(Finding finding)
    {
        var (color, word) = finding.State switch
        {
            FindingState.Good => ("green", "ok"),
            FindingState.Doubtful => ("yellow", "doubt"),
            _ => ("red", "broken"),
        };
        _out.MarkupLineInterpolated($"[{color}]{word, -6}[/] [bold]{finding.Name, -15}[/] {finding.Text}");
        if (finding.Remedy.Length > 0)
            _out.MarkupLineInterpolated($"{"", -23}-> {finding.Remedy}");
    }

    public void Warning(string code, string message) =>
        Messages.MarkupLineInterpolated($"[yellow]warning:[/] {message}");

    public void Error(CommandError error)
    {
        // The message of wrong fields is their sentences in a row.
        if (
            error.Violations.Count == 0
            || error.Message != string.Join(' ', error.Violations.Select(violation => violation.Description))
        )
            _err.MarkupLineInterpolated($"[red]error:[/] {error.Message}");
        foreach (var violation in error.Violations)
            _err.MarkupLineInterpolated($"[red]error:[/] [bold]{violation.Field}[/]: {violation.Description}");
        if (error.RetryAfter is { } retryAfter)
            _err.MarkupLineInterpolated(
                CultureInfo.InvariantCulture,
                $"  Try again in {Numbers.Duration(retryAfter)}."
            );
    }

    public async Task WithProgressAsync(string title, Func<IProgressMeter, Task> work)
    {
        if (!_live)
        {
            await work(new LineMeter(this, title)).ConfigureAwait(false);
            return;
        }

        var width = _out.Profile.Width;
        var bar = width < WideTerminal ? 10 : 20;
        title = OneLine(title, width / 4);
        var progress = _out.Progress()
            .Columns(
                new TextColumn(task => task.Description, title.Length),
                new ProgressBarColumn { Width = bar },
                new TextColumn(task => task.Tag as string ?? "", width - title.Length - bar - Gaps)
            );
        _showsBar = true;
        try
        {
            await progress
                .StartAsync(async context =>
                {
                    using var clearing = new RenderHookScope(_out, new ClearedLines());
                    await work(new BarMeter(context.AddTask(title))).ConfigureAwait(false);
                })
                .ConfigureAwait(false);
        }
        finally
        {
            _showsBar = false;
        }
    }

    /// <summary>A text without line breaks, cut to a width.</summary>
    private static string OneLine(string text, int width)
    {
        var line = string.Join(' ', text.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return line.Length <= width ? line : line[..(width - 1)] + "…";
    }

    // While a progress bar is shown, only its own console knows the position of the cursor.
    private IAnsiConsole Messages => _showsBar && _err.Profile.Out.IsTerminal ? _out : _err;

    private static IAnsiConsole Create(TextWriter writer) =>
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });

    /// <summary>A bar that moves.</summary>
    private sealed class BarMeter(ProgressTask task) : IProgressMeter
    {
        public void Report(int step, int total, string details, TimeSpan? timeLeft)
        {
            var left = timeLeft is { } time && step < total ? $", {Numbers.Duration(time)} left" : "";
            task.Tag = $"{step}/{total}{left}, {details}";
            task.MaxValue = total;
            task.Value = step;
        }
    }

    /// <summary>A line for every tenth of the work, so that logs stay short.</summary>
    private sealed class LineMeter(IOutput output, string title) : IProgressMeter
    {
        private int _tenth = -1;

        public void Report(int step, int total, string details, TimeSpan? timeLeft)
        {
            var tenth = (int)(10L * step / Math.Max(1, total));
            if (tenth == _tenth)
                return;
            _tenth = tenth;
            output.Line($"{title}: {step}/{total} {details}");
        }
    }

    /// <summary>
    /// Clears the bar's lines before a message is written over them; what a shorter line leaves of them would stand at
    /// its end.
    /// </summary>
    private sealed class ClearedLines : IRenderHook
    {
        private static readonly ControlCode _clear = new("\e[J");

        public IEnumerable<IRenderable> Process(RenderOptions options, IEnumerable<IRenderable> renderables) =>
            renderables.Any(renderable => renderable is not ControlCode) ? renderables.Prepend(_clear) : renderables;
    }

    /// <summary>Text in a fixed width, cut at its end.</summary>
    private sealed class TextColumn(Func<ProgressTask, string> text, int width) : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override int? GetColumnWidth(RenderOptions options) => width;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(OneLine(text(task), width));
    }
}
