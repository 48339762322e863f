using System.CommandLine;
using System.Globalization;
using System.Text;
using Dti.Cli.Commands;
using Dti.Tests;

namespace Dti.Cli.Tests;

/// <summary>docs/settings.md lists the settings that the contract declares, as the command has them.</summary>
public class SettingsPageTests
{
    [Fact]
    public void Page_Tables_AreTheOptionsOfTheCommand()
    {
        var page = Path.Combine(Fixtures.Repository, "docs", "settings.md");
        var expected = Page();

        var received = Path.Combine(Fixtures.Repository, "artifacts", "settings.received.md");
        if (!File.Exists(page) || File.ReadAllText(page) != expected)
            File.WriteAllText(received, expected);

        Assert.True(
            File.Exists(page) && File.ReadAllText(page) == expected,
            $"The settings have changed. If they were meant to: cp {received} {page}"
        );
    }

    private static string Page()
    {
        var (train, generate) = (new Command("train"), new Command("generate"));
        new TrainingOptionSet().AddTo(train);
        new GenerationOptionSet().AddTo(generate);
        return $"""
            # Settings

            Every setting of a training and of a generation, with its range and its default. A setting that is not given takes its default, and the first event of a job lists all
            settings in use. In the contract, the SDK and the Python client the settings are fields of `TrainingOptions` and `GenerationOptions`; `protos/dti/v1` declares them,
            and this page, the help of the command, the SDK, the Python client and the checks of the server follow from it.

            ```bash
            ./dti train my-cat photos/ --initializer cat --steps 200
            ```

            ## Training

            {Table(train)}
            ## Generation and interpolation

            {Table(generate)}
            """;
    }

    private static string Table(Command command)
    {
        var table = new StringBuilder("| option | meaning |\n|---|---|\n");
        foreach (var option in command.Options)
        {
            var text = (option.Description ?? "").Replace("|", "\\|").Replace("<", "&lt;");
            table.Append(CultureInfo.InvariantCulture, $"| `{option.Name}` | {text} |\n");
        }

        return table.ToString();
    }
}
