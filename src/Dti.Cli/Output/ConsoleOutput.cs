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
    private readonly IAnsiConsole _out;
    private readonly IAnsiConsole _err;
    private readonly bool _live;

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

    public void Warning(string code, string message) => _err.MarkupLineInterpolated($"[yellow]warning:[/] {message}");

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

        var progress = _out.Progress()
            .Columns(
                new TaskDescriptionColumn { Alignment = Justify.Left },
                new ProgressBarColumn { Width = 20 },
                new PercentageColumn(),
                new DetailsColumn()
            );
        await progress
            .StartAsync(context => work(new BarMeter(context.AddTask(Markup.Escape(title)))))
            .ConfigureAwait(false);
    }

    private static IAnsiConsole Create(TextWriter writer) =>
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(writer) });

    /// <summary>A bar that moves.</summary>
    private sealed class BarMeter(ProgressTask task) : IProgressMeter
    {
        public void Report(int step, int total, string details, TimeSpan? timeLeft)
        {
            var left = timeLeft is { } time && step < total ? $", {Numbers.Duration(time)} left" : "";
            task.Tag = $"{step}/{total} {details}{left}";
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

    private sealed class DetailsColumn : ProgressColumn
    {
        protected override bool NoWrap => true;

        public override IRenderable Render(RenderOptions options, ProgressTask task, TimeSpan deltaTime) =>
            new Text(task.Tag as string ?? "", new Style(Color.Grey)) { Overflow = Overflow.Ellipsis };
    }
}
