using System.Globalization;
using System.Text;
using Dti.Cli.Output;
using Dti.ClientSdk;

namespace Dti.Cli.Demo;

/// <summary>The command lines that repeat the parts of the demo.</summary>
internal sealed class CommandText(string dataFolder, IReadOnlyList<string> modelFolders)
{
    public string Train(DemoConcept concept)
    {
        var options = concept.Training;
        return new Line("train", concept.Name, Relative(concept.PhotoFolder))
                .Option("--initializer", options.Initializer)
                .Option("--vectors", options.VectorCount)
                .Option("--method", options.Method is { } method ? MethodNames.Of(method) : null)
                .Option("--learning-rate", options.LearningRate)
                .Option("--kappa", options.Kappa)
                .Option("--steps", options.Steps)
                .Option("--seed", options.Seed)
                .Option("--preview-every", options.PreviewEvery)
                .Option("--preview-steps", options.PreviewSteps)
                .Option("--previews", options.PreviewEvery > 0 ? $"{concept.Name}-previews" : null)
                .Place(dataFolder, modelFolders) + " --force";
    }

    public string Generate(GenerationOptions options, string folder) =>
        new Line("generate", options.Prompt)
            .Option("--seed", options.Seed)
            .Option("--steps", options.Steps)
            .Option("--guidance", options.GuidanceScale)
            .Option("--scheduler", options.Scheduler)
            .Option("-o", folder + "/")
            .Place(dataFolder, modelFolders);

    public string Interpolate(InterpolateRequest request) =>
        new Line("interpolate", request.FromConcept, request.ToConcept)
            .Option("--frames", request.Frames)
            .Option("--easing", request.Easing is { } easing ? SettingsTable.Word(easing) : null)
            .Option("--prompt", request.Prompt)
            .Option("--seed", request.Options.Seed)
            .Option("--steps", request.Options.Steps)
            .Option("--guidance", request.Options.GuidanceScale)
            .Option("--scheduler", request.Options.Scheduler)
            .Option("-o", "between")
            .Flag("--webp")
            .Place(dataFolder, modelFolders);

    /// <summary>Quotes what a shell would not take as it is.</summary>
    internal static string Quote(string word) =>
        word.Length > 0
        && word.All(character =>
            char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '/' or ':' or '\\'
        )
            ? word
            : '"' + word.Replace("\"", "\\\"", StringComparison.Ordinal) + '"';

    // Short where the file is below the current folder, as the README's commands are.
    private static string Relative(string path)
    {
        var relative = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return relative.StartsWith("..", StringComparison.Ordinal) ? path : relative;
    }

    private sealed class Line
    {
        private readonly StringBuilder _text = new(ProgramName.Text);

        public Line(params string[] words)
        {
            foreach (var word in words)
                _text.Append(' ').Append(Quote(word));
        }

        public Line Option<T>(string name, T? value)
        {
            if (value is not null)
                _text
                    .Append(' ')
                    .Append(name)
                    .Append(' ')
                    .Append(Quote(string.Create(CultureInfo.InvariantCulture, $"{value}")));
            return this;
        }

        public Line Flag(string name)
        {
            _text.Append(' ').Append(name);
            return this;
        }

        public string Place(string dataFolder, IReadOnlyList<string> modelFolders)
        {
            Option("--data", Relative(dataFolder));
            foreach (var folder in modelFolders)
                Option("--models", Relative(folder));
            return _text.ToString();
        }
    }
}
