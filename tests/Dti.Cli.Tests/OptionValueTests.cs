using System.CommandLine;
using System.Globalization;

namespace Dti.Cli.Tests;

/// <summary>
/// Numbers on the command line are read the same in every language, and no .NET type name reaches a user.
/// </summary>
public class OptionValueTests
{
    public static TheoryData<string> Languages => ["", "de-DE", "tr-TR", "ar-SA", "fr-FR"];

    [Theory]
    [MemberData(nameof(Languages))]
    public void Parse_DecimalPoint_IsTheSameInEveryLanguage(string language) => In(language, () =>
        {
            var parsed = CommandLine.CreateRoot().Parse(["generate", "cat", "--guidance", "7.5", "--steps", "20"]);

            Assert.Empty(parsed.Errors);
            Assert.Equal(7.5, parsed.GetValue<double?>("--guidance"));
            Assert.Equal(20, parsed.GetValue<int?>("--steps"));
        });

    [Theory]
    [MemberData(nameof(Languages))]
    public void Parse_DecimalComma_IsRefusedWithAnExample(string language) => In(language, () =>
        {
            var error = Assert.Single(CommandLine.CreateRoot().Parse(["generate", "cat", "--guidance", "7,5"]).Errors);
            Assert.Equal("--guidance is a number with a decimal point, such as 7.5, not '7,5'.", error.Message);
        });

    [Theory]
    [InlineData("--steps", "1,000")]
    [InlineData("--steps", "1.5")]
    [InlineData("--steps", "٢٠")]
    [InlineData("--guidance", "NaN")]
    [InlineData("--guidance", "∞")]
    [InlineData("--guidance", "1 000")]
    public void Parse_NoPlainNumber_IsRefused(string option, string value)
    {
        var error = Assert.Single(CommandLine.CreateRoot().Parse(["generate", "cat", option, value]).Errors);
        Assert.StartsWith(option + " is ", error.Message, StringComparison.Ordinal);
        Assert.Contains($"'{value}'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_SeedMinusOne_IsARandomSeed()
    {
        ulong? Seed()
        {
            var parsed = CommandLine.CreateRoot().Parse(["generate", "cat", "--seed", "-1"]);
            Assert.Empty(parsed.Errors);
            return parsed.GetValue<ulong?>("--seed");
        }

        Assert.NotEqual(Seed(), Seed());
    }

    [Fact]
    public void Parse_LargestSeed_IsRead() =>
        Assert.Equal(
            ulong.MaxValue,
            CommandLine
                .CreateRoot()
                .Parse(["generate", "cat", "--seed", "18446744073709551615"])
                .GetValue<ulong?>("--seed")
        );

    public static TheoryData<string, string> Options =>
        [
            .. CommandsBelow(CommandLine.CreateRoot(), "")
                .SelectMany(command =>
                    command
                        .Command.Options.Where(option => option.Name is not ("--help" or "--version"))
                        .Select(option => (command.Path, option.Name))
                ),
        ];

    [Theory]
    [MemberData(nameof(Options))]
    public void Parse_ValueThatNothingAccepts_NamesTheOptionAndNoType(string command, string option)
    {
        var errors = CommandLine
            .CreateRoot()
            .Parse([.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), $"{option}=§"])
            .Errors;

        Assert.All(errors, error =>
        {
            Assert.DoesNotContain("System.", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("Dti.", error.Message, StringComparison.Ordinal);
            Assert.DoesNotContain("expected type", error.Message, StringComparison.Ordinal);
        });
    }

    private static IEnumerable<(Command Command, string Path)> CommandsBelow(Command command, string path) =>
        [(command, path), .. command.Subcommands.SelectMany(child => CommandsBelow(child, $"{path} {child.Name}"))];

    private static void In(string language, Action act)
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo(language);
            act();
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
