using System.CommandLine;
using System.Globalization;
using Dti.Cli.Output;
using Dti.ClientSdk;
using Dti.Engine.Conversion;

namespace Dti.Cli.Commands;

/// <summary><c>dti models</c>: list, show, convert.</summary>
internal static class ModelsCommand
{
    public static Command Create(CommonOptions common)
    {
        var command = new Command("models", "The models that the server can use.")
        {
            List(common),
            Show(common),
            Convert(common),
        };
        Examples.Add(
            command,
            "dti models list",
            "dti models list --models ~/models --models /data/sd15",
            "dti models show sd15",
            "dti models convert v1-5-pruned-emaonly.safetensors sd15"
        );
        return command;
    }

    private static Command List(CommonOptions common)
    {
        var command = new Command("list", "All models, by name; unusable ones with the reason.");
        common.SetAction(command, async context =>
        {
            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var models = await connection.Client.ListModelsAsync(context.CancellationToken).ConfigureAwait(false);
                foreach (var model in models)
                    context.Output.Event("model", model);
                if (models.Count == 0)
                    context.Output.Line("No models. Name a folder with --models or DTI_MODELS.");
                else
                    context.Output.Table(
                        ["NAME", "FAMILY", "PIXELS", "SIZE", "DTYPE", "MEMORY", "", "PROBLEM"],
                        models.Select(Row)
                    );
                var vaes = await connection.Client.ListVaesAsync(context.CancellationToken).ConfigureAwait(false);
                if (vaes.Count > 0)
                    context.Output.Line($"Autoencoders for --vae: {string.Join(", ", vaes)}");
            }
        });
        return command;

        static IReadOnlyList<string> Row(Model model) =>
            [
                model.Name,
                model.Family,
                model.Resolution.ToString(CultureInfo.InvariantCulture),
                Numbers.Size(model.SizeBytes),
                model.Dtype,
                Memory(model),
                model.IsDefault ? "default" : "",
                model.Problem ?? "",
            ];
    }

    private static Command Convert(CommonOptions common)
    {
        var source = new Argument<string>("source")
        {
            Description = "A single safetensors file, or a diffusers folder.",
        };
        var target = new Argument<string>("target")
        {
            Description =
                "The folder to make of a file, or the .safetensors file to make of a folder. Nothing may be there.",
        };
        var command = new Command(
            "convert",
            "Makes a diffusers folder of a single file, or the other way round, here, without a server. Every tensor keeps its bytes."
        )
        {
            source,
            target,
        };
        Examples.Add(
            command,
            "dti models convert v1-5-pruned-emaonly.safetensors sd15",
            "dti models convert sd15 ComfyUI/models/checkpoints/sd15.safetensors"
        );
        common.SetLocalAction(command, async context =>
        {
            await Task.Run(
                    () =>
                        CheckpointConversion.Convert(
                            context.Get(source),
                            context.Get(target),
                            context.CancellationToken
                        ),
                    context.CancellationToken
                )
                .ConfigureAwait(false);
            context.Output.Event("converted", new { source = context.Get(source), path = context.Get(target) });
            context.Output.Line($"Wrote {context.Get(target)}.");
        });
        return command;
    }

    private static Command Show(CommonOptions common)
    {
        var name = new Argument<string>("name") { Description = "Name of the model." };
        var command = new Command("show", "One model.") { name };
        common.SetAction(command, async context =>
        {
            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var model = await connection
                    .Client.GetModelAsync(context.Get(name), context.CancellationToken)
                    .ConfigureAwait(false);
                context.Output.Event("model", model);
                context.Output.Table(
                    ["MODEL", model.Name],
                    [
                        ["family", model.Family],
                        ["resolution", $"{model.Resolution} pixels"],
                        ["embeddings", $"{model.EmbeddingDimension} wide"],
                        ["path", model.Path],
                        ["size", Numbers.Size(model.SizeBytes)],
                        ["dtype", model.Dtype],
                        ["memory", Memory(model)],
                        ["default", model.IsDefault ? "yes" : "no"],
                        ["in memory", model.Loaded ? "yes" : "no"],
                        ["problem", model.Problem ?? "none"],
                    ]
                );
            }
        });
        return command;
    }

    private static string Memory(Model model) =>
        model.MemoryBytes == 0 ? "" : Numbers.Size(model.MemoryBytes) + (model.Fits ? "" : " (does not fit)");
}
