using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;

namespace Dti.Cli.Commands;

/// <summary>
/// Parses the values of numbers and switches. They are read the same in every language: a decimal point, no thousands
/// separators. A value that cannot be read is named together with its option and an example, never with a .NET type.
/// </summary>
internal static class OptionValues
{
    private const string SeedOption = "--seed";

    private delegate bool Reader<T>(string text, out T value);

    /// <summary>Sets the parsers of all options and arguments of a command and its subcommands.</summary>
    public static void Configure(Command command)
    {
        foreach (var option in command.Options)
            Configure(option);
        foreach (
            var argument in command.Arguments.Where(argument =>
                argument.ValueType != typeof(string) && argument.ValueType != typeof(string[])
            )
        )
            throw new InvalidOperationException($"The argument {argument.Name} of '{command.Name}' needs a parser.");
        foreach (var subcommand in command.Subcommands)
            Configure(subcommand);
    }

    /// <summary>The words that an option takes, in capital or small letters.</summary>
    public static Option<T> OneOf<T>(this Option<T> option, params string[] words)
    {
        option.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, words);
        return option;
    }

    private static void Configure(Option option)
    {
        switch (option)
        {
            case Option<ulong?> seed when seed.Name == SeedOption:
                seed.CustomParser = result => ReadSeed(result);
                break;
            case Option<ulong> seed when seed.Name == SeedOption:
                seed.CustomParser = result => ReadSeed(result) ?? 0;
                break;
            case Option<ulong?> number:
                number.CustomParser = result => Read<ulong>(result, Whole, "a whole number, 0 or more");
                break;
            case Option<int> number:
                number.CustomParser = result => Read<int>(result, Whole, "a whole number such as 20") ?? 0;
                break;
            case Option<int?> number:
                number.CustomParser = result => Read<int>(result, Whole, "a whole number such as 20");
                break;
            case Option<double?> number:
                number.CustomParser = result =>
                    Read<double>(result, Decimal, "a number with a decimal point, such as 7.5");
                break;
            case Option<bool?> flag:
                flag.CustomParser = result =>
                    result.Tokens.Count == 0 ? true : Read<bool>(result, bool.TryParse, "true or false");
                break;
            case Option<bool> flag:
                flag.CustomParser = result =>
                    result.Tokens.Count == 0 || Read<bool>(result, bool.TryParse, "true or false") is true;
                break;
        }
    }

    // -1 means a random seed, as in A1111 and ComfyUI. Below 2⁵³, so that JavaScript reads the seed that was chosen
    // exactly.
    private static ulong? ReadSeed(ArgumentResult result) =>
        result.Tokens is [{ Value: "-1" }]
            ? (ulong)Random.Shared.NextInt64(1L << 53)
            : Read<ulong>(result, Whole, "a whole number from 0 to 18446744073709551615, or -1 for a random one");

    private static T? Read<T>(ArgumentResult result, Reader<T> read, string expected)
        where T : struct
    {
        if (result.Tokens is [var token] && read(token.Value, out var value))
            return value;

        var name = result.Parent is OptionResult option ? option.Option.Name : result.Argument.Name;
        var given = result.Tokens.Count > 0 ? $", not '{Shortened(result.Tokens[0].Value)}'" : "";
        result.AddError($"{name} is {expected}{given}.");
        return null;
    }

    /// <summary>
    /// Whether an option was given on the command line; unlike its value, this can be asked of one that could not be
    /// parsed.
    /// </summary>
    public static bool IsGiven(this SymbolResult result, Option option) =>
        result.GetResult(option) is { Implicit: false };

    private static string Shortened(string text) => text.Length <= 40 ? text : text[..40] + "…";

    private static bool Whole<T>(string text, out T value)
        where T : struct, System.Numerics.INumber<T> =>
        T.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);

    private static bool Decimal(string text, out double value) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && double.IsFinite(value);
}
