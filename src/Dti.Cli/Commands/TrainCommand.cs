using System.CommandLine;
using Dti.Cli.Files;
using Dti.Cli.Output;
using Dti.Cli.Work;
using Dti.ClientSdk;

namespace Dti.Cli.Commands;

/// <summary><c>dti train</c>.</summary>
internal static class TrainCommand
{
    public static Command Create(CommonOptions common)
    {
        var name = new Argument<string>("name") { Description = "Name of the concept; prompts use it as <name>." };
        var photos = new Argument<string[]>("photos")
        {
            Description =
                "1 to 50 photos (JPEG, PNG, WebP, BMP, GIF), or folders of them; beside NAME.jpg may lie its mask, NAME-mask.png, and its caption, NAME.txt or NAME.caption.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var force = new Option<bool>("--force") { Description = "Replace a concept of the same name." };
        var resume = new Option<bool>("--resume")
        {
            Description =
                "Go on with a training of this name that was cancelled, cut off or finished; without photos and settings but --steps.",
        };
        var fromStep = new Option<int?>("--from-step")
        {
            Description = "With --resume: the step of a kept snapshot. Default: the newest.",
            HelpName = "n",
        };
        var previews = new Option<string?>("--previews")
        {
            Description = "Write previews into this folder.",
            HelpName = "folder",
        };
        var logs = new Option<string?>("--log-dir")
        {
            Description =
                "Write the curves of the run into a folder below this one: curves.csv, and a file for TensorBoard with the previews.",
            HelpName = "folder",
        };
        var captions = new Option<CaptionFiles?>("--captions")
        {
            Description =
                "Caption files next to photos. use: each says where the concept goes, by {concept} or the initial word; ignore: train without them; prefix: put the concept in front of those that do not say it. Default: use.",
        };
        captions.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "use", "ignore", "prefix");
        var options = new TrainingOptionSet();

        var command = new Command("train", "Learn a concept from a few photos.") { name, photos };
        options.AddTo(command);
        command.Add(previews);
        command.Add(logs);
        command.Add(captions);
        command.Add(force);
        command.Add(resume);
        command.Add(fromStep);
        Examples.Add(
            command,
            "dti train my-cat photos/ --initializer cat --models ~/models/stable-diffusion-v1-5",
            "dti train my-cat cat1.jpg cat2.jpg cat3.png --steps 300 --seed 1 --preview-every 50 --previews previews/",
            "dti train my-cat --resume --steps 800",
            "dti train my-style paintings/ --kind style --kappa 5e-5",
            "dti train my-cat photos/ --server https://gpu-box:5171 --token-file token.txt"
        );

        command.Validators.Add(asked =>
        {
            if (!asked.IsGiven(resume) && asked.GetValue(photos) is not { Length: > 0 })
                asked.AddError("Name the photos, or a folder of them; or go on with an earlier training by --resume.");
            if (!asked.IsGiven(resume) && asked.IsGiven(fromStep))
                asked.AddError("--from-step goes with --resume.");
        });
        common.SetAction(command, async context =>
        {
            var asked = options.Read(context);
            var read = await PhotoFiles
                .ReadAsync(
                    context.Get(photos),
                    context.Get(captions) ?? CaptionFiles.Use,
                    asked.Resolution,
                    context.Output,
                    context.CancellationToken
                )
                .ConfigureAwait(false);
            var request = new TrainRequest
            {
                Name = context.Get(name),
                Photos = read,
                Resume = context.Get(resume),
                ResumeFromStep = context.Get(fromStep),
                Options = asked,
                Overwrite = context.Get(force),
                RequestId = Guid.NewGuid().ToString("N"),
            };

            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var outcome = await new TrainingRun(connection.Client, context.Output)
                {
                    PreviewFolder = context.Get(previews),
                    LogFolder = context.Get(logs),
                }
                    .RunAsync(request, context.CancellationToken)
                    .ConfigureAwait(false);
                context.Output.Line(
                    $"Learnt {outcome.Result.Placeholder} in {Numbers.Duration(outcome.Result.Elapsed)}. "
                        + $"Try: {ProgramName.Text} generate \"a photo of {outcome.Result.Placeholder}\""
                );
                ShowFiles(context, request.Name);
            }
        });
        return command;
    }

    /// <summary>Where the concept is, and the image of its training; on another server, how to get them.</summary>
    private static void ShowFiles(CommandContext context, string name)
    {
        if (context.ServerAddress is { Length: > 0 })
        {
            context.Output.Line(
                $"Its file: {ProgramName.Text} concepts export {name}. "
                    + $"Its curves and previews: {ProgramName.Text} concepts show {name} --summary {name}.png"
            );
            return;
        }

        var concept = context.Folders.ConceptFile(name, ".safetensors");
        var summary = context.Folders.ConceptFile(name, ".training.png");
        context.Output.Event("files", new { concept, summary });
        context.Output.Line($"concept {concept}");
        if (summary is not null)
            context.Output.Line($"image   {summary}");
    }
}
