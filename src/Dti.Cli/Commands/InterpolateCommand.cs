using System.CommandLine;
using System.Globalization;
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
        var gif = new Option<bool>("--gif") { Description = "Write animation.gif too, there and back again." };
        var webp = new Option<bool>("--webp")
        {
            Description = "Write animation.webp too: smaller than a GIF, in all colours.",
        };
        var mp4 = new Option<bool>("--mp4") { Description = "Write animation.mp4 too; needs ffmpeg." };
        var fps = new Option<int?>("--fps")
        {
            Description = "Frames per second of animations, 1 to 50. Default: 8.",
            HelpName = "n",
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
        command.Add(gif);
        command.Add(webp);
        command.Add(mp4);
        command.Add(fps);
        command.Add(force);
        command.Validators.Add(asked =>
        {
            if (asked.IsGiven(fps) && !asked.IsGiven(gif) && !asked.IsGiven(webp) && !asked.IsGiven(mp4))
                asked.AddError("--fps goes with --gif, --webp or --mp4.");
            // text that is no number is reported by the option itself
            if (
                asked.GetResult(fps) is { Tokens: [var token] }
                && int.TryParse(token.Value, CultureInfo.InvariantCulture, out var rate)
                && rate is < 1 or > 50
            )
            {
                asked.AddError("--fps must be from 1 to 50.");
            }
        });
        Examples.Add(
            command,
            "dti interpolate my-cat my-teapot",
            "dti interpolate my-cat my-teapot --frames 24 --webp --gif",
            "dti interpolate my-cat my-teapot --frames 24 --easing smooth --seed 3 -o between/",
            "dti interpolate my-cat my-teapot --prompt \"{concept} in a garden\""
        );

        common.SetAction(command, async context =>
        {
            AnimationFormat[] formats =
            [
                .. new[] { (gif, AnimationFormat.Gif), (webp, AnimationFormat.Webp), (mp4, AnimationFormat.Mp4) }
                    .Where(pair => context.Get(pair.Item1))
                    .Select(pair => pair.Item2),
            ];
            if (formats.Contains(AnimationFormat.Mp4))
                VideoFile.FindEncoder(); // before anything is generated for it
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
                await foreach (
                    var path in files
                        .WriteAnimationsAsync(
                            outcome.Pictures,
                            formats,
                            context.Get(fps) ?? 8,
                            context.CancellationToken
                        )
                        .ConfigureAwait(false)
                )
                {
                    context.Output.Event("animation", new { path });
                    context.Output.Line($"animation {path}");
                }
            }
        });
        return command;
    }
}
