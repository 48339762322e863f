using System.CommandLine;
using System.Diagnostics;
using System.Text;
using Dti.Cli.Demo;
using Dti.Cli.Files;
using Dti.Cli.Hosting;

namespace Dti.Cli.Commands;

/// <summary><c>dti demo</c>.</summary>
internal static class DemoCommand
{
    public static Command Create(CommonOptions common)
    {
        var output = new Option<string>("--output", "-o")
        {
            Description = "Folder for the page, its photos and the concepts that it trains.",
            HelpName = "folder",
            DefaultValueFactory = _ => "dti-demo",
        };
        var fast = new Option<bool>("--fast")
        {
            Description = "Only check that everything works: so few steps that nothing is learnt.",
        };
        var steps = new Option<int>("--steps")
        {
            Description = "Training steps of each concept.",
            HelpName = "n",
            DefaultValueFactory = line => Length(line.GetValue(fast)).Steps,
        };
        var samplingSteps = new Option<int>("--sampling-steps")
        {
            Description = "Sampling steps of each image.",
            HelpName = "n",
            DefaultValueFactory = line => Length(line.GetValue(fast)).SamplingSteps,
        };
        var seed = new Option<ulong>("--seed")
        {
            Description = "Same seed, same page.",
            HelpName = "n",
            DefaultValueFactory = _ => 1UL,
        };

        var command = new Command(
            "demo",
            "Train two concepts by DTI and by plain textual inversion, compare them, blend the two, and write a page that shows it all."
        )
        {
            output,
            fast,
            steps,
            samplingSteps,
            seed,
        };
        Examples.Add(
            command,
            "dti demo",
            "dti demo --fast",
            "dti demo -o ~/dti-demo --steps 300",
            "dti demo --models ~/models/sd15"
        );

        common.SetLocalAction(command, async context =>
        {
            var clock = Stopwatch.StartNew();
            var folder = Path.GetFullPath(context.Get(output)!);
            var page = Path.Combine(folder, "index.html");
            if (File.Exists(page) && !await IsOursAsync(page, context.CancellationToken).ConfigureAwait(false))
                throw new CliException(
                    ExitCode.Usage,
                    $"'{page}' was not written by the demo; name another folder with -o."
                );
            var photos = await DemoPhotos.WriteAsync(folder, context.CancellationToken).ConfigureAwait(false);
            var data = Path.Combine(folder, "library");
            var connection = await Connection
                .OpenOwnAsync(context.Folders with { Data = data }, context.CancellationToken)
                .ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var plan = DemoPlan.Create(
                    Length(context.Get(fast)) with
                    {
                        Steps = context.Get(steps),
                        SamplingSteps = context.Get(samplingSteps),
                    },
                    context.Get(seed),
                    photos
                );
                var result = await new DemoRun(connection.Client, context.Output, clock)
                    .RunAsync(plan, context.CancellationToken)
                    .ConfigureAwait(false);
                var commands = new CommandText(data, context.Folders.Models);
                await SafeFile
                    .WriteAsync(
                        page,
                        Encoding.UTF8.GetBytes(new DemoPage(result, commands).Write()),
                        overwrite: true,
                        context.CancellationToken
                    )
                    .ConfigureAwait(false);
            }

            context.Output.Event("page", new { path = page });
            context.Output.Line();
            context.Output.Line($"The page is {page}");
            context.Output.Line(new Uri(page).AbsoluteUri);
        });
        return command;

        static DemoLength Length(bool fast) => fast ? DemoScript.Fast : DemoScript.Full;
    }

    // The mark is near the top, whatever size the file has.
    private static async Task<bool> IsOursAsync(string page, CancellationToken cancellationToken)
    {
        var head = new char[1024];
        using var reader = new StreamReader(page);
        var length = await reader.ReadBlockAsync(head, cancellationToken).ConfigureAwait(false);
        return new string(head, 0, length).Contains(DemoPage.Generator, StringComparison.Ordinal);
    }
}
