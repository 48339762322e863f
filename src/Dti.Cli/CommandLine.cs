using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using Dti.Cli.Commands;
using Dti.Cli.Output;

namespace Dti.Cli;

/// <summary>The <c>dti</c> command and its subcommands.</summary>
internal static class CommandLine
{
    public static async Task<int> RunAsync(string[] args)
    {
        var result = CreateRoot().Parse(args);
        using var cancellation = new CancellationTokenSource();
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

        if (
            result.Action is null or ParseErrorAction or AsynchronousCommandLineAction
            && UnknownOptions.Describe(result) is { Count: > 0 } unknown
        )
            return Refuse(result, unknown, null);
        if (result.Action is ParseErrorAction wrong)
            return Refuse(result, [.. result.Errors.Select(error => error.Message)], wrong);
        return await result
            .InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = null }, cancellation.Token)
            .ConfigureAwait(false);

        // The first time the work ends cleanly, the second time the process ends.
        void Stop(PosixSignalContext context)
        {
            context.Cancel = !cancellation.IsCancellationRequested;
            cancellation.Cancel();
        }
    }

    // Help would bury what is wrong, and stdout belongs to results.
    private static int Refuse(ParseResult result, IReadOnlyList<string> sentences, ParseErrorAction? wrong)
    {
        if (result.GetValue<bool>("--json"))
        {
            new JsonOutput(Console.Out).Error(new CommandError("USAGE", string.Join(" ", sentences)));
            return ExitCode.Usage;
        }

        if (wrong is null)
        {
            foreach (var sentence in sentences)
                Console.Error.WriteLine(sentence);
        }
        else
        {
            wrong.ShowHelp = false;
            result.InvocationConfiguration.Output = Console.Error;
            result.Invoke(result.InvocationConfiguration);
        }

        var words =
            result.CommandResult.Command is RootCommand
                ? ProgramName.Text
                : $"{ProgramName.Text} {PathOf(result.CommandResult)}";
        Console.Error.WriteLine($"See {words} --help.");
        return ExitCode.Usage;

        static string PathOf(CommandResult command) =>
            command.Parent is CommandResult { Command: not RootCommand } parent
                ? $"{PathOf(parent)} {command.Command.Name}"
                : command.Command.Name;
    }

    public static RootCommand CreateRoot()
    {
        var root = new RootCommand(
            "Dti trains a concept from a few photos (Directional Textual Inversion), generates images with it, and interpolates between two concepts."
        );
        var common = new CommonOptions(root);
        root.Add(DemoCommand.Create(common));
        root.Add(TrainCommand.Create(common));
        root.Add(GenerateCommand.Create(common));
        root.Add(InterpolateCommand.Create(common));
        root.Add(InspectCommand.Create(common));
        root.Add(CompareCommand.Create(common));
        root.Add(ConceptsCommand.Create(common));
        root.Add(ModelsCommand.Create(common));
        root.Add(JobsCommand.Create(common));
        root.Add(ServeCommand.Create(common));
        root.Add(StudioCommand.Create(common));
        root.Add(DoctorCommand.Create(common));
        root.Add(TokensCommand.Create(common));
        root.Add(ClusterCommand.Create(common));
        root.Add(CompletionCommand.Create(common));

        var help = new Examples.Help(common.RefusedBy);
        root.Options.OfType<HelpOption>().Single().Action = help;
        root.SetAction(help.Invoke);
        OptionValues.Configure(root);
        Examples.Add(
            root,
            "dti demo",
            "dti train my-cat photos/ --initializer cat",
            "dti generate \"a photo of <my-cat> on the moon\" -o moon.png",
            "dti interpolate my-cat my-teapot --frames 12 -o between/"
        );
        return root;
    }
}
