using System.CommandLine;
using System.Globalization;
using Dti.Cli.Files;
using Dti.Cli.Output;
using Dti.ClientSdk;
using Dti.ClientSdk.Internal.Photos;

namespace Dti.Cli.Commands;

/// <summary><c>dti concepts</c>: list, show, import, export, versions, restore, delete.</summary>
internal static class ConceptsCommand
{
    public static Command Create(CommonOptions common)
    {
        var command = new Command("concepts", "The library of learnt concepts.")
        {
            List(common),
            Show(common),
            Import(common),
            Export(common),
            Versions(common),
            Restore(common),
            Delete(common),
        };
        Examples.Add(
            command,
            "dti concepts list",
            "dti concepts import my-cat learned_embeds.safetensors",
            "dti concepts import my-dog learned_embeds.safetensors learned_embeds_2.safetensors",
            "dti concepts import old-friend embedding.safetensors --rescale",
            "dti concepts export my-cat --format webui -o ComfyUI/models/embeddings/my-cat.safetensors",
            "dti concepts export my-cat --comfyui --models ~/ComfyUI",
            "dti concepts restore my-cat"
        );
        return command;
    }

    private static Command List(CommonOptions common)
    {
        var command = new Command("list", "All concepts, by name.");
        common.SetAction(command, async context =>
        {
            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var concepts = await connection
                    .Client.ListConceptsAsync(context.CancellationToken)
                    .ConfigureAwait(false);
                foreach (var concept in concepts)
                    context.Output.Event("concept", ConceptView.Of(concept));
                if (concepts.Count == 0)
                    context.Output.Line(
                        $"No concepts yet. Learn one: {ProgramName.Text} train my-cat photos/ --initializer cat"
                    );
                else
                    context.Output.Table(
                        ["NAME", "PLACEHOLDER", "VECTORS", "FAMILY", "MODEL", "CREATED"],
                        concepts.Select(Row)
                    );
            }
        });
        return command;

        static IReadOnlyList<string> Row(Concept concept) =>
            [
                concept.Name,
                concept.Placeholder,
                concept.VectorCount.ToString(CultureInfo.InvariantCulture),
                concept.Family,
                concept.Model,
                Dates.Show(concept.Created),
            ];
    }

    private static Command Show(CommonOptions common)
    {
        var name = Name();
        var summary = new Option<string?>("--summary")
        {
            Description = "Write the image of its training, curves and previews, to this PNG file.",
            HelpName = "file",
        };
        var force = new Option<bool>("--force") { Description = "Replace the file." };
        var command = new Command("show", "One concept, and the settings it was learnt with.") { name, summary, force };
        common.SetAction(command, async context =>
        {
            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var concept = await connection
                    .Client.GetConceptAsync(context.Get(name), context.CancellationToken)
                    .ConfigureAwait(false);
                context.Output.Event("concept", ConceptView.Of(concept));
                context.Output.Table(["SETTING", "VALUE"], ConceptView.Rows(concept));
                if (context.Get(summary) is { } path)
                {
                    if (concept.SummaryPng.IsEmpty)
                        throw new CliException(
                            ExitCode.NotFound,
                            $"'{concept.Name}' has no image of its training; it was imported, or learnt by an older version."
                        );
                    await SafeFile
                        .WriteAsync(path, concept.SummaryPng, context.Get(force), context.CancellationToken)
                        .ConfigureAwait(false);
                    context.Output.Line($"summary {path}");
                }
            }
        });
        return command;
    }

    private static Command Import(CommonOptions common)
    {
        var name = Name();
        var files = new Argument<string[]>("file")
        {
            Description =
                "A safetensors file of diffusers, ComfyUI, A1111, kohya's scripts or OneTrainer, or a LoRA with embeddings in its bundle; or two, learned_embeds.safetensors and learned_embeds_2.safetensors, one for each text encoder of SDXL.",
            Arity = new ArgumentArity(1, 2),
        };
        var force = new Option<bool>("--force") { Description = "Replace a concept of the same name." };
        var rescale = new Option<bool>("--rescale")
        {
            Description = "Keep the directions and give each vector the mean norm of the model's vocabulary.",
        };
        var model = new Option<string?>("--model")
        {
            Description = "Model that it has to fit (dti models list). Default: one that it fits.",
            HelpName = "name",
        };
        var command = new Command("import", "Take a learnt embedding into the library.")
        {
            name,
            files,
            force,
            rescale,
            model,
        };
        common.SetAction(command, async context =>
        {
            var data = new List<byte[]>();
            string[] paths = [.. (context.Get(files) ?? []).SelectMany(Wildcards.Expand)];
            foreach (var path in paths)
            {
                if (!File.Exists(path))
                    throw new CliException(ExitCode.NotFound, $"There is no file '{path}'.");
                if (new FileInfo(path).Length <= PhotoShares.Limit)
                {
                    data.Add(await File.ReadAllBytesAsync(path, context.CancellationToken).ConfigureAwait(false));
                }
                else
                {
                    data.Add(Engine.Concepts.BundledEmbeddings.Extract(path, PhotoShares.Limit));
                    context.Output.Warning(
                        "BUNDLE_EXTRACTED",
                        $"Of '{path}', only the embeddings in the LoRA's bundle are sent."
                    );
                }
            }

            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                Concept concept;
                try
                {
                    concept = await connection
                        .Client.ImportConceptAsync(
                            context.Get(name),
                            data[0],
                            context.Get(force),
                            context.Get(rescale),
                            context.Get(model),
                            data.ElementAtOrDefault(1),
                            context.CancellationToken
                        )
                        .ConfigureAwait(false);
                }
                catch (DtiClientException refused)
                {
                    throw WithPaths(refused, paths);
                }

                context.Output.Event("concept", ConceptView.Of(concept));
                if (concept.IgnoredTensors.Count > 0)
                    context.Output.Warning(
                        "TENSORS_IGNORED",
                        $"Tensors of the file that were passed over (docs/formats.md says what they are): {Some(concept.IgnoredTensors)}."
                    );
                context.Output.Line(
                    $"Imported {concept.Name}: {concept.VectorCount} vector(s) of {concept.Dimension}. Prompts use it as {concept.Placeholder}."
                );
            }
        });
        return command;
    }

    private static string Some(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(4)) + (names.Count > 4 ? ", …" : "");

    /// <summary>A refusal that names files in the place of the request's fields for them.</summary>
    internal static DtiClientException WithPaths(DtiClientException refused, IReadOnlyList<string> paths)
    {
        FieldViolation[] others =
        [
            .. refused.FieldViolations.Where(violation => violation.Field is not ("data" or "second_data")),
        ];
        return others.Length == refused.FieldViolations.Count
            ? refused
            : new DtiClientException(
                refused.Status,
                string.Join(' ', refused.FieldViolations.Select(Description)),
                refused
            )
            {
                Reason = refused.Reason,
                FieldViolations = others,
            };

        string Description(FieldViolation violation) =>
            violation.Field switch
            {
                "data" => Named(violation, paths[0]),
                "second_data" when paths.Count > 1 => Named(violation, paths[1]),
                _ => violation.Description,
            };

        static string Named(FieldViolation violation, string path) =>
            violation.Description.StartsWith(violation.Field, StringComparison.Ordinal)
                ? path + violation.Description[violation.Field.Length..]
                : violation.Description;
    }

    private static Command Export(CommonOptions common)
    {
        var name = Name();
        var format = new Option<ConceptFormat?>("--format")
        {
            Description = "diffusers, or webui for ComfyUI and A1111. Default: diffusers.",
        };
        format.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "diffusers", "webui");
        var output = new Option<string?>("--output", "-o")
        {
            Description =
                "File that ends in .safetensors, or a folder, which is made if needed. Default: the server's name for it, here.",
            HelpName = "path",
        };
        var force = new Option<bool>("--force") { Description = "Replace a file of the same name." };
        var comfy = new Option<bool>("--comfyui")
        {
            Description =
                "Write it into the embeddings folder of the server's ComfyUI instead (its folder is among --models).",
        };
        var command = new Command("export", "Write a concept to a file that other tools load.")
        {
            name,
            format,
            output,
            comfy,
            force,
        };
        common.SetAction(command, async context =>
        {
            if (context.Get(comfy) && (context.Get(output) ?? context.Get(format)?.ToString()) is not null)
                throw new CliException(
                    ExitCode.Usage,
                    "--comfyui knows the file and its layout; leave out -o and --format."
                );
            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                if (context.Get(comfy))
                {
                    var installed = await connection
                        .Client.InstallConceptAsync(context.Get(name), context.Get(force), context.CancellationToken)
                        .ConfigureAwait(false);
                    context.Output.Event("exported", new { path = installed });
                    context.Output.Line(
                        $"Wrote {installed}; ComfyUI's prompts use it as embedding:{context.Get(name)}"
                    );
                    return;
                }

                var file = await connection
                    .Client.ExportConceptAsync(
                        context.Get(name),
                        context.Get(format) ?? ConceptFormat.Diffusers,
                        context.CancellationToken
                    )
                    .ConfigureAwait(false);
                var path = Place(context.Get(output), Path.GetFileName(file.FileName));
                if (File.Exists(path) && !context.Get(force))
                    throw new CliException(
                        ExitCode.Usage,
                        $"The file '{path}' exists; name another with -o, or replace it with --force."
                    );
                await SafeFile
                    .WriteAsync(path, file.Data, context.Get(force), context.CancellationToken)
                    .ConfigureAwait(false);
                context.Output.Event("exported", new { path });
                context.Output.Line($"Wrote {path}");
            }
        });
        return command;

        static string Place(string? output, string fileName) =>
            output is null ? fileName
            : Path.HasExtension(output) && !Directory.Exists(output) && !Path.EndsInDirectorySeparator(output) ? output
            : Path.Combine(output, fileName);
    }

    private static Command Versions(CommonOptions common)
    {
        var name = Name();
        var command = new Command("versions", "What a concept was before it was replaced, newest first.") { name };
        common.SetAction(command, async context =>
        {
            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var versions = await connection
                    .Client.ListConceptVersionsAsync(context.Get(name), context.CancellationToken)
                    .ConfigureAwait(false);
                foreach (var concept in versions)
                    context.Output.Event(
                        "version",
                        new
                        {
                            concept.Version,
                            concept.Created,
                            concept.Settings?.Steps,
                            concept.Settings?.Seed,
                        }
                    );
                if (versions.Count == 0)
                    context.Output.Line($"{context.Get(name)} was never replaced.");
                else
                    context.Output.Table(
                        ["VERSION", "CREATED", "STEPS", "SEED"],
                        versions.Select(concept =>
                            (IReadOnlyList<string>)
                                [
                                    concept.Version,
                                    Dates.Show(concept.Created),
                                    $"{concept.Settings?.Steps}",
                                    $"{concept.Settings?.Seed}",
                                ]
                        )
                    );
            }
        });
        return command;
    }

    private static Command Restore(CommonOptions common)
    {
        var name = Name();
        var version = new Argument<string>("version")
        {
            Description = "Which one (dti concepts versions). Default: the newest.",
            DefaultValueFactory = _ => "",
        };
        var command = new Command(
            "restore",
            "Make an earlier version of a concept the current one, which becomes an earlier version."
        )
        {
            name,
            version,
        };
        common.SetAction(command, async context =>
        {
            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var concept = await connection
                    .Client.RestoreConceptAsync(context.Get(name), context.Get(version), context.CancellationToken)
                    .ConfigureAwait(false);
                context.Output.Event("concept", ConceptView.Of(concept));
                context.Output.Line(
                    $"Restored {concept.Name}; the one that it replaces is kept as an earlier version."
                );
            }
        });
        return command;
    }

    private static Command Delete(CommonOptions common)
    {
        var name = Name();
        var command = new Command("delete", "Delete a concept.") { name };
        common.SetAction(command, async context =>
        {
            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                await connection
                    .Client.DeleteConceptAsync(context.Get(name), context.CancellationToken)
                    .ConfigureAwait(false);
                context.Output.Event("deleted", new { name = context.Get(name) });
                context.Output.Line($"Deleted {context.Get(name)}.");
            }
        });
        return command;
    }

    private static Argument<string> Name() => new("name") { Description = "Name of the concept." };
}
