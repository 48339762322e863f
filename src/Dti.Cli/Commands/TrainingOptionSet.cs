using System.CommandLine;
using System.Globalization;
using Dti.Cli.Files;
using Dti.Cli.Output;
using Dti.ClientSdk;
using Dti.Settings;

namespace Dti.Cli.Commands;

/// <summary>
/// The settings of <c>dti train</c>, as the contract declares them; one that is not given takes the server's default.
/// </summary>
[OptionsForSettings(typeof(TrainingOptions), Except = "magnitude_value")]
internal sealed partial class TrainingOptionSet
{
    private readonly Option<string?> _model = new("--model")
    {
        Description = "Model to train with (dti models list). Default: the server's default model.",
        HelpName = "name",
    };
    private readonly Option<string?> _method = new("--method")
    {
        Description = $"dti, or to compare: {string.Join(", ", MethodNames.All[1..])}. Default: dti.",
        HelpName = "name",
    };
    private readonly Option<FileInfo?> _templates = new("--templates")
    {
        Description =
            "Text file of prompts to train with, one a line; {concept} says where it is named. Default: those of the kind.",
        HelpName = "file",
    };
    private readonly Option<string?> _magnitude = new("--magnitude")
    {
        Description =
            "Norm of the embedding: mean, median, min or max of the vocabulary's, the initializer's own, or a number. Default: mean.",
        HelpName = "mean|median|min|max|initializer|number",
    };
    private readonly Option<string[]> _previewPrompts = new("--preview-prompt")
    {
        Description = "Prompt of the previews; {concept} stands for the concept. Repeatable.",
        HelpName = "prompt",
    };
    private readonly Option<string?> _vae = new("--vae")
    {
        Description = "Autoencoder that takes the place of the model's own (dti models list).",
        HelpName = "name",
    };

    public TrainingOptionSet() => _method.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, MethodNames.All);

    public void AddTo(Command command)
    {
        foreach (var option in InOrder)
            command.Add(option);
    }

    public TrainingOptions Read(CommandContext context)
    {
        var (magnitude, magnitudeValue) = ReadMagnitude(context.Get(_magnitude));
        return ReadDeclared(context) with
        {
            Model = context.Get(_model),
            Method = MethodNames.Read(context.Get(_method)),
            Templates = context.Get(_templates) is { } file ? TemplateFile.Read(file.FullName) : [],
            Magnitude = magnitude,
            MagnitudeValue = magnitudeValue,
            PreviewPrompts = context.Get(_previewPrompts) ?? [],
            Vae = context.Get(_vae),
        };
    }

    private static (Magnitude?, double?) ReadMagnitude(string? text) =>
        text is null ? (null, null)
        : double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var value)
            ? (Magnitude.Value, value)
        : Enum.TryParse<Magnitude>(text, ignoreCase: true, out var magnitude) && magnitude != Magnitude.Value
            ? (magnitude, null)
        : throw new CliException(
            ExitCode.Usage,
            $"--magnitude is mean, median, min, max, initializer or a number, not '{text}'."
        );
}
