using System.Text;
using Spectre.Console;

namespace Dti.Cli.Tests;

/// <summary>
/// A terminal of a fixed width: what programs write, and where the cursor's movements leave it. It knows the
/// sequences that Spectre.Console writes.
/// </summary>
internal sealed class Screen(int width) : TextWriter, IAnsiConsoleOutput
{
    private readonly List<StringBuilder> _lines = [new()];
    private readonly Lock _lock = new();
    private string _sequence = "";
    private int _row;
    private int _column;

    /// <summary>Every line that was written, those that scrolled away too.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock)
                return [.. _lines.Select(line => line.ToString().TrimEnd())];
        }
    }

    public override Encoding Encoding => Encoding.UTF8;

    public TextWriter Writer => this;

    public bool IsTerminal => true;

    public int Width => width;

    public int Height => 40;

    /// <summary>A console that writes here.</summary>
    public IAnsiConsole NewConsole() =>
        AnsiConsole.Create(
            new AnsiConsoleSettings
            {
                Ansi = AnsiSupport.Yes,
                ColorSystem = ColorSystemSupport.NoColors,
                Interactive = InteractionSupport.Yes,
                Out = this,
            }
        );

    public void SetEncoding(Encoding encoding) { }

    public override void Write(char value)
    {
        lock (_lock)
        {
            if (_sequence.Length > 0 || value == '\e')
                Collect(value);
            else
                Put(value);
        }
    }

    private void Collect(char value)
    {
        _sequence += value;
        if (_sequence.Length < 3 || !char.IsAsciiLetter(value))
            return;
        var count = int.TryParse(_sequence[2..^1], out var number) ? number : 0;
        _sequence = "";
        switch (value)
        {
            case 'A':
                _row = Math.Max(0, _row - Math.Max(1, count));
                break;
            case 'B':
                _row = Math.Min(_lines.Count - 1, _row + Math.Max(1, count));
                break;
            case 'J':
                _lines[_row].Length = Math.Min(_lines[_row].Length, _column);
                foreach (var line in _lines.Skip(_row + 1))
                    line.Clear();
                break;
            case 'K':
                _lines[_row].Length = count == 2 ? 0 : Math.Min(_lines[_row].Length, _column);
                break;
        }
    }

    private void Put(char value)
    {
        switch (value)
        {
            case '\r':
                _column = 0;
                break;
            case '\n':
                NextLine();
                break;
            default:
                if (_column == width)
                    NextLine();
                var line = _lines[_row];
                line.Append(' ', Math.Max(0, _column + 1 - line.Length));
                line[_column++] = value;
                break;
        }
    }

    private void NextLine()
    {
        _column = 0;
        if (++_row == _lines.Count)
            _lines.Add(new());
    }
}
