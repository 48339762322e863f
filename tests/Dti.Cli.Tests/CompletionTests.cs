namespace Dti.Cli.Tests;

/// <summary>The scripts of <c>dti completion</c>, and what shells ask with them.</summary>
public class CompletionTests(ServeFixture server)
{
    [Theory]
    [InlineData("dti tra", "train")]
    [InlineData("dti train my-cat photos/ --step", "--steps")]
    [InlineData("dti train my-cat photos/ --preset ", "balanced")]
    [InlineData("dti concepts ", "export")]
    public async Task Suggest_Line_NamesWhatFits(string line, string expected)
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), $"[suggest:{line.Length}]", line);

        Assert.Equal((ExitCode.Ok, ""), (result.ExitCode, result.Error));
        Assert.Contains(expected, result.Output.Split(Environment.NewLine));
    }

    [Theory]
    [InlineData("bash", "complete -o default -F _dti dti ./dti")]
    [InlineData("zsh", "#compdef dti")]
    [InlineData("fish", "complete -c dti -a '(__dti_complete)'")]
    [InlineData("powershell", "Register-ArgumentCompleter -Native -CommandName dti, dti.cmd, dti.exe -ScriptBlock {")]
    public async Task Completion_Shell_PrintsItsScript(string shell, string line)
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), "completion", shell);

        Assert.Equal((ExitCode.Ok, ""), (result.ExitCode, result.Error));
        Assert.Contains(line, result.Output.Split(Environment.NewLine));
    }

    [Fact]
    public async Task Completion_UnknownShell_NamesTheShells()
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), "completion", "csh");

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("powershell", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dti conc", "concepts")]
    [InlineData("dti train my-cat --snap", "--snapshot-every")]
    [InlineData("dti train my-cat photos/ ", "")]
    public async Task Bash_Script_CompletesTheWord(string line, string expected)
    {
        const string Bash = "/bin/bash";
        Assert.SkipUnless(File.Exists(Bash), "this system has no bash");
        var folder = server.NewFolder();
        var script = await DtiProcess.RunAsync(folder, "completion", "bash");
        await File.WriteAllTextAsync(
            Path.Combine(folder, "test.bash"),
            $$"""
            {{script.Output}}
            dti() (exec '{{DtiProcess.Program}}' "$@")
            COMP_LINE='{{line}}' COMP_POINT={{line.Length}}
            COMP_WORDS=({{line}} {{(line.EndsWith(' ') ? "''" : "")}})
            COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
            _dti
            printf '%s\n' "${COMPREPLY[@]}"

            """.ReplaceLineEndings("\n"),
            TestContext.Current.CancellationToken
        );

        // bash warns of a locale that the system lacks
        using var bash = DtiProcess.StartBy("/usr/bin/env", folder, [], "LC_ALL=C", Bash, "test.bash");
        var result = await bash.EndAsync();

        Assert.Equal((expected, ""), (result.Output.Trim(), result.Error));
    }
}
