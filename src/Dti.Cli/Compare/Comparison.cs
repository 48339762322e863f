using System.CommandLine;
using System.Globalization;
using Dti.Cli.Commands;
using Dti.Cli.Hosting;
using Dti.Cli.Output;
using Dti.ClientSdk;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Dti.Cli.Compare;

/// <summary>A thing that each method learns.</summary>
/// <param name="Name">In results.</param>
/// <param name="Photos">Files or folders.</param>
/// <param name="Word">What it is, in a word or phrase: the start, unless a method says otherwise, and what stands for
/// it when a prompt is judged.</param>
internal sealed record ComparedSubject(string Name, IReadOnlyList<string> Photos, string Word);

/// <summary>A way to learn it.</summary>
/// <param name="Name">In results.</param>
/// <param name="Training">Its settings, those of all methods included.</param>
internal sealed record ComparedMethod(string Name, TrainingOptions Training);

/// <summary>
/// A grid of methods, subjects and seeds, evaluated in the same prompts from the same noise, as a YAML file defines it.
/// </summary>
/// <param name="Subjects">What is learnt.</param>
/// <param name="Methods">How. Settings are the options of <c>dti train</c>.</param>
/// <param name="Seeds">Of the trainings.</param>
/// <param name="Prompts">The prompts; <c>{concept}</c> stands for the subject.</param>
/// <param name="PicturesPerPrompt">From seeds that follow each other.</param>
/// <param name="Drawing">How. Settings are the options of <c>dti generate</c>.</param>
/// <param name="Judges">Folders of evaluators; the built-in judge, if the file names none.</param>
internal sealed record Comparison(
    IReadOnlyList<ComparedSubject> Subjects,
    IReadOnlyList<ComparedMethod> Methods,
    IReadOnlyList<ulong> Seeds,
    IReadOnlyList<string> Prompts,
    int PicturesPerPrompt,
    GenerationOptions Drawing,
    IReadOnlyList<string> Judges
)
{
    private const long MaxBytes = 1024 * 1024;
    private static readonly string[] _keys =
    [
        "subjects",
        "methods",
        "training",
        "seeds",
        "prompts",
        "pictures",
        "drawing",
        "judges",
    ];

    /// <summary>Reads a file; paths in it are relative to it, or begin with <c>~/</c>.</summary>
    /// <exception cref="CliException">It cannot be read, or something in it is wrong; the message says
    /// what.</exception>
    public static Comparison Read(string file)
    {
        var root = Root(file);
        if (root.Children.Keys.Select(Text).FirstOrDefault(key => !_keys.Contains(key)) is { } unknown)
            throw Wrong(file, $"'{unknown}' is not known; there are {string.Join(", ", _keys)}");

        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        var training = Value(root, "training");
        var subjects = Map(file, root, "subjects")
            .Select(pair => Subject(file, folder, Text(pair.Key), pair.Value))
            .ToList();
        var methods = Map(file, root, "methods")
            .Select(pair => new ComparedMethod(
                Name(file, Text(pair.Key)),
                Train(file, $"{training} {Text(pair.Value)}")
            ))
            .ToList();
        var prompts = List(root, "prompts");
        if (prompts.Count == 0 || prompts.Any(prompt => !prompt.Contains("{concept}", StringComparison.Ordinal)))
            throw Wrong(file, "it needs prompts, each with {concept} where the subject is named");
        return new Comparison(
            subjects,
            methods,
            [
                .. (List(root, "seeds") is { Count: > 0 } seeds ? seeds : ["1"]).Select(seed =>
                    Number(file, "seeds", seed)
                ),
            ],
            prompts,
            (int)Number(file, "pictures", Value(root, "pictures") is { Length: > 0 } count ? count : "4"),
            Draw(file, Value(root, "drawing")),
            [.. List(root, "judges").Select(judge => PathOf(folder, judge))]
        );
    }

    private static YamlMappingNode Root(string file)
    {
        if (!File.Exists(file))
            throw new CliException(ExitCode.NotFound, $"There is no file '{file}'.");
        if (new FileInfo(file).Length > MaxBytes)
            throw Wrong(file, "it is too large");
        try
        {
            var yaml = new YamlStream();
            using var reader = File.OpenText(file);
            yaml.Load(reader);
            return yaml.Documents.FirstOrDefault()?.RootNode as YamlMappingNode
                ?? throw Wrong(file, "it holds no keys");
        }
        catch (YamlException error)
        {
            throw Wrong(file, $"it is not valid YAML at line {error.Start.Line}: {error.Message}");
        }
    }

    private static ComparedSubject Subject(string file, string folder, string name, YamlNode node)
    {
        if (
            node is not YamlMappingNode subject
            || List(subject, "photos") is not { Count: > 0 } photos
            || Value(subject, "word") is not { Length: > 0 } word
        )
            throw Wrong(file, $"subject '{name}' needs photos and word");
        return new ComparedSubject(Name(file, name), [.. photos.Select(path => PathOf(folder, path))], word);
    }

    // The settings are options of commands, so that they are spelled, checked and explained as there.
    private static TrainingOptions Train(string file, string arguments)
    {
        var options = new TrainingOptionSet();
        return options.Read(Parse(file, "dti train", arguments, options.AddTo));
    }

    private static GenerationOptions Draw(string file, string arguments)
    {
        var options = new GenerationOptionSet();
        return options.Read(Parse(file, "dti generate", arguments, options.AddTo), "", null);
    }

    private static CommandContext Parse(string file, string words, string arguments, Action<Command> add)
    {
        var command = new Command("compare");
        add(command);
        OptionValues.Configure(command);
        var parsed = command.Parse(arguments);
        return parsed.Errors.Count == 0
            ? new CommandContext(
                parsed,
                new JsonOutput(TextWriter.Null),
                null,
                new(null, null),
                DataFolders.Resolve(null, [], null),
                default
            )
            : throw Wrong(
                file,
                $"'{arguments.Trim()}' are no options of {words}: {string.Join(" ", parsed.Errors.Select(error => error.Message))}"
            );
    }

    private static string PathOf(string folder, string path) =>
        Path.GetFullPath(
            Path.Combine(
                folder,
                path.StartsWith("~/", StringComparison.Ordinal)
                    ? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), path[2..])
                    : path
            )
        );

    private static string Name(string file, string name) =>
        name.Length is > 0 and <= 24 && name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_')
            ? name
            : throw Wrong(file, $"'{name}' must be 1 to 24 letters, digits, '-' or '_'");

    private static ulong Number(string file, string key, string text) =>
        ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
        && number is > 0 and < int.MaxValue
            ? number
            : throw Wrong(file, $"{key} must be whole numbers above 0, not '{text}'");

    private static IEnumerable<KeyValuePair<YamlNode, YamlNode>> Map(string file, YamlMappingNode node, string key) =>
        node.Children.TryGetValue(new YamlScalarNode(key), out var found)
        && found is YamlMappingNode { Children.Count: > 0 } map
            ? map.Children
            : throw Wrong(file, $"it needs {key}");

    private static List<string> List(YamlMappingNode node, string key) =>
        !node.Children.TryGetValue(new YamlScalarNode(key), out var found) ? []
        : found is YamlSequenceNode items ? [.. items.Select(Text)]
        : [Text(found)];

    private static string Value(YamlMappingNode node, string key) =>
        node.Children.TryGetValue(new YamlScalarNode(key), out var found) ? Text(found) : "";

    private static string Text(YamlNode node) => (node as YamlScalarNode)?.Value ?? "";

    private static CliException Wrong(string file, string why) => new(ExitCode.Usage, $"{file}: {why}.");
}
