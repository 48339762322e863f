using System.CommandLine;
using Dti.Cli.Files;
using Dti.Cli.Work;

namespace Dti.Cli.Commands;

/// <summary><c>dti generate</c>.</summary>
internal static class GenerateCommand
{
    public static Command Create(CommonOptions common)
    {
        var prompt = new Argument<string>("prompt")
        {
            Description = "The prompt; <name> stands for the concept of that name.",
        };
        var output = new Option<string?>("--output", "-o")
        {
            Description =
                "File or folder for the images. Several images, and names already taken, are numbered. Default: a file named after the prompt.",
            HelpName = "path",
        };
        var count = new Option<int?>("--count", "-n")
        {
            Description = "Number of images, 1 to 64. Default: 1.",
            HelpName = "n",
        };
        var force = new Option<bool>("--force") { Description = "Replace files of the same name." };
        var options = new GenerationOptionSet();

        var command = new Command("generate", "Generate images from a prompt.") { prompt, output, count };
        options.AddTo(command);
        command.Add(force);
        Examples.Add(
            command,
            "dti generate \"a photo of <my-cat> in the snow\"",
            "dti generate \"an oil painting of <my-cat>\" -n 4 --seed 7 -o paintings/",
            "dti generate \"<my-cat> in the style of <my-style>\" --scheduler euler --guidance 6 -o cat.webp --quality 85"
        );

        common.SetAction(command, async context =>
        {
            var path = context.Get(output);
            var asked = options.Read(context, context.Get(prompt), path) with { ImageCount = context.Get(count) };
            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var files = new PictureFiles(path, asked.Prompt, asked.ImageCount ?? 1, context.Get(force));
                await new GenerationRun(context.Output)
                {
                    Canceller = connection.Client,
                    WriteAsync = files.WriteAsync,
                    PreviewFolder = options.PreviewFolder(context),
                }
                    .RunAsync(
                        "generating",
                        connection.Client.GenerateAsync(asked, null, context.CancellationToken),
                        context.CancellationToken
                    )
                    .ConfigureAwait(false);
            }
        });
        return command;
    }
}
