using System.CommandLine;
using Dti.Cli.Files;
using Dti.ClientSdk;
using Dti.Settings;

namespace Dti.Cli.Commands;

/// <summary>
/// The settings that <c>dti generate</c> and <c>dti interpolate</c> share, as the contract declares them; one that is
/// not given takes the server's default.
/// </summary>
[OptionsForSettings(typeof(GenerationOptions), Except = "prompt num_images")]
internal sealed partial class GenerationOptionSet
{
    private readonly Option<string?> _model = new("--model")
    {
        Description = "Model to generate with (dti models list). Default: the server's default model.",
        HelpName = "name",
    };
    private readonly Option<string?> _vae = new("--vae")
    {
        Description = "Autoencoder that takes the place of the model's own (dti models list).",
        HelpName = "name",
    };
    private readonly Option<PictureFormat?> _format = new Option<PictureFormat?>("--format")
    {
        Description = "Default: by the ending of -o, or png.",
    }.OneOf("png", "jpeg", "webp");
    private readonly Option<int?> _previewEvery = new("--preview-every")
    {
        Description = "With --previews: sampling steps between two of them. Default: 1.",
        HelpName = "n",
    };
    private readonly Option<string?> _previews = new("--previews")
    {
        Description = "Folder for previews of each image while it is generated: small files, one a sampling step.",
        HelpName = "folder",
    };

    public void AddTo(Command command)
    {
        foreach (var option in InOrder)
            command.Add(option);
        command.Add(_previews);
        command.Validators.Add(asked =>
        {
            if (asked.IsGiven(_previewEvery) && !asked.IsGiven(_previews))
                asked.AddError("--preview-every goes with --previews.");
        });
    }

    /// <summary>Folder for previews; null: none are asked for.</summary>
    public string? PreviewFolder(CommandContext context) => context.Get(_previews);

    public GenerationOptions Read(CommandContext context, string prompt, string? outputFile) =>
        ReadDeclared(context) with
        {
            Prompt = prompt,
            Model = context.Get(_model),
            Vae = context.Get(_vae),
            Format = context.Get(_format) ?? PictureFiles.FormatOf(outputFile),
            PreviewEvery = context.Get(_previewEvery) ?? (PreviewFolder(context) is null ? null : 1),
        };
}
