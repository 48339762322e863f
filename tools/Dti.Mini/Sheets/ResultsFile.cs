using System.Globalization;
using Dti.Mini.World;

namespace Dti.Mini.Sheets;

/// <summary>
/// Results in a CSV file beside the page about the model: a key of two parts, then named values. Rows are added as they
/// come, from any thread.
/// </summary>
/// <param name="name">Of the file.</param>
internal sealed class ResultsFile(string name)
{
    private readonly Lock _lock = new();

    private string FilePath => Path.Combine(MiniWorld.MeasuredFolder, name);

    /// <summary>All rows; none if there is no file.</summary>
    public IReadOnlyList<(string What, string Of, Dictionary<string, double> Values)> Rows
    {
        get
        {
            if (!File.Exists(FilePath))
            {
                return [];
            }

            var lines = File.ReadAllLines(FilePath).Select(line => line.Split(',')).ToArray();
            return
            [
                .. lines
                    .Skip(1)
                    .Select(line =>
                        (
                            line[0],
                            line[1],
                            lines[0]
                                .Zip(line)
                                .Skip(2)
                                .ToDictionary(
                                    pair => pair.First,
                                    pair => double.Parse(pair.Second, CultureInfo.InvariantCulture)
                                )
                        )
                    ),
            ];
        }
    }

    public bool Holds(string what, string of) => Rows.Any(row => row.What == what && row.Of == of);

    /// <summary>Adds a row and shows it.</summary>
    public void Add(string what, string of, IReadOnlyDictionary<string, double> values)
    {
        using var held = _lock.EnterScope();
        Directory.CreateDirectory(MiniWorld.MeasuredFolder);
        if (!File.Exists(FilePath))
        {
            File.WriteAllText(FilePath, string.Join(',', ["what", "of", .. values.Keys]) + "\n");
        }

        File.AppendAllText(
            FilePath,
            string.Join(
                ',',
                [what, of, .. values.Values.Select(value => value.ToString("F4", CultureInfo.InvariantCulture))]
            ) + "\n"
        );
        Console.WriteLine(
            $"{string.Join("  ", values.Select(value => string.Create(CultureInfo.InvariantCulture, $"{value.Key} {value.Value:F3}")))}  {what} {of}"
        );
    }
}
