using System.CommandLine;
using Dti.Cli.Compare;

namespace Dti.Cli.Commands;

/// <summary><c>dti compare</c>.</summary>
internal static class CompareCommand
{
    public static Command Create(CommonOptions common)
    {
        var file = new Argument<string>("file")
        {
            Description = "YAML file of subjects, methods, seeds and prompts (docs/compare.md).",
        };
        var folder = new Option<string?>("-o", "--output")
        {
            Description = "Folder of results; what is in it already is not done again. Default: the file's name, here.",
            HelpName = "folder",
        };
        var command = new Command(
            "compare",
            "Train subjects with several methods, generate images of each in the same prompts, and compare the methods."
        )
        {
            file,
            folder,
        };
        Examples.Add(
            command,
            "dti compare examples/ablation.yaml",
            "dti compare mine.yaml -o results/ --models ~/models/stable-diffusion-v1-5"
        );
        common.SetAction(command, async context =>
        {
            var path = context.Get(file);
            var comparison = Comparison.Read(path);
            using var judges = new Judgement(comparison.Judges);
            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                await new ComparisonRun(
                    comparison,
                    context.Get(folder) ?? Path.GetFileNameWithoutExtension(path),
                    connection.Client,
                    judges,
                    context.Output
                )
                    .RunAsync(context.CancellationToken)
                    .ConfigureAwait(false);
            }
        });
        return command;
    }
}
