using System.CommandLine;
using Dti.Cli.Files;
using Dti.Cli.Work;
using Dti.ClientSdk;

namespace Dti.Cli.Commands;

/// <summary><c>dti interpolate</c>.</summary>
internal static class InterpolateCommand
{
    public static Command Create(CommonOptions common)
    {
        var from = new Argument<string>("from") { Description = "Name of the concept at the start." };
        var to = new Argument<string>("to") { Description = "Name of the concept at the end." };
        var frames = new Option<int?>("--frames")
        {
            Description = "Number of images, 2 to 256, ends included. Default: 8.",
            HelpName = "n",
        };
        var easing = new Option<Easing?>("--easing") { Description = "How the way is divided. Default: linear." };
        easing.AcceptOnlyFromAmong(StringComparer.OrdinalIgnoreCase, "linear", "smooth");
        var prompt = new Option<string?>("--prompt")
        {
            Description = "The prompt; {concept} stands for the blend. Default: \"a photo of {concept}\".",
            HelpName = "prompt",
        };
        var output = new Option<string?>("--output", "-o")
        {
            Description = "Folder for the frames and their strip. Default: <from>-to-<to>.",
            HelpName = "folder",
        };
        var force = new Option<bool>("--force") { Description = "Replace frames that are there already." };
        var options = new GenerationOptionSet();

        var command = new Command("interpolate", "Draw what lies between two concepts, along the great circle.")
        {
            from,
            to,
            frames,
            easing,
            prompt,
            output,
        };
        options.AddTo(command);
        command.Add(force);
        Examples.Add(
            command,
            "dti interpolate my-cat my-teapot",
            "dti interpolate my-cat my-teapot --frames 24 --easing smooth --seed 3 -o between/",
            "dti interpolate my-cat my-teapot --prompt \"{concept} in a garden\""
        );

        common.SetAction(command, async context =>
        {
            var request = new InterpolateRequest(context.Get(from), context.Get(to))
            {
                Frames = context.Get(frames),
                Easing = context.Get(easing),
                Prompt = context.Get(prompt),
                Options = options.Read(context, "", null),
            };
            var files = new FrameFiles(
                context.Get(output) ?? $"{request.FromConcept}-to-{request.ToConcept}",
                context.Get(force)
            );
            var connection = await context.ConnectAsync().ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var outcome = await new GenerationRun(context.Output)
                {
                    Canceller = connection.Client,
                    WriteAsync = files.WriteAsync,
                    PreviewFolder = options.PreviewFolder(context),
                }
                    .RunAsync(
                        "interpolating",
                        connection.Client.InterpolateAsync(request, null, context.CancellationToken),
                        context.CancellationToken
                    )
                    .ConfigureAwait(false);
                var strip = await files
                    .WriteStripAsync(outcome.Pictures, context.CancellationToken)
                    .ConfigureAwait(false);
                context.Output.Event("strip", new { path = strip });
                context.Output.Line($"strip   {strip}");
            }
        });
        return command;
    }
}
