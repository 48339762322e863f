using System.CommandLine;

namespace Dti.Cli.Commands;

/// <summary><c>dti completion</c>.</summary>
internal static class CompletionCommand
{
    private static readonly string[] _shells = ["bash", "zsh", "fish", "powershell"];

    public static Command Create(CommonOptions common)
    {
        var shell = new Argument<string>("shell") { Description = "bash, zsh, fish or powershell." };
        shell.AcceptOnlyFromAmong(_shells);
        var command = new Command(
            "completion",
            "Print a script with which a shell completes commands, options and their values."
        )
        {
            shell,
        };
        Examples.Add(
            command,
            "dti completion bash > ~/.local/share/bash-completion/completions/dti",
            "dti completion zsh > ~/.zfunc/_dti",
            "dti completion fish > ~/.config/fish/completions/dti.fish",
            "dti completion powershell >> $PROFILE"
        );
        common.SetLocalAction(command, context =>
        {
            var script = Read(context.Get(shell));
            context.Output.Event("completion", new { script });
            foreach (var line in script.TrimEnd().Split('\n'))
                context.Output.Line(line);
            return Task.CompletedTask;
        });
        return command;
    }

    private static string Read(string shell)
    {
        using var reader = new StreamReader(
            typeof(CompletionCommand).Assembly.GetManifestResourceStream($"completion.{shell}")!
        );
        return reader.ReadToEnd().ReplaceLineEndings("\n");
    }
}
