using Dti.Tests;

namespace Dti.Cli.Tests;

/// <summary>What was asked for and cannot be used is an error that names it; no default takes its place.</summary>
public class FallbackTests(ServeFixture server)
{
    private static readonly string _model = Path.Combine(Fixtures.Root, "tiny-sd15");

    [Theory]
    [InlineData("'/nowhere'", "models", "list", "--models", "/nowhere")]
    [InlineData("'/nowhere'", "generate", "a cat", "--models", "/nowhere")]
    [InlineData("'/nowhere'", "serve", "--port", "0", "--models", "/nowhere")]
    [InlineData("'nope'", "generate", "a cat", "--model", "nope")]
    [InlineData("'nope'", "generate", "a cat", "--vae", "nope")]
    [InlineData("'nope'", "generate", "a cat", "--scheduler", "nope")]
    [InlineData("'int8'", "generate", "a cat", "--dtype", "int8")]
    [InlineData("nope", "generate", "a cat", "--prediction-type", "nope")]
    [InlineData("'huge'", "generate", "a cat", "--memory", "huge")]
    [InlineData("'/nowhere'", "DTI_MODELS=/nowhere", "models", "list")]
    [InlineData("'cuda:99'", "DTI_DEVICE=cuda:99", "generate", "a cat")]
    [InlineData("'gpu'", "DTI_DEVICE=gpu", "generate", "a cat")]
    [InlineData("'fp99'", "DTI_DTYPE=fp99", "generate", "a cat")]
    [InlineData("'nope'", "DTI_DEFAULT_MODEL=nope", "generate", "a cat")]
    [InlineData("'cuda:99'", "DTI_DEVICE=cuda:99", "serve", "--port", "0")]
    [InlineData("'fp99'", "DTI_DTYPE=fp99", "serve", "--port", "0")]
    [InlineData("'nope'", "DTI_DEFAULT_MODEL=nope", "serve", "--port", "0")]
    [InlineData("'/nowhere'", "DTI_BUILT_IN_MODEL=/nowhere", "serve", "--port", "0")]
    [InlineData("'/nowhere'", "DTI_MODELS=/nowhere", "serve", "--port", "0")]
    [InlineData("'huge'", "DTI_MEMORY=huge", "serve", "--port", "0")]
    public async Task Run_ValueThatCannotBeUsed_IsAnErrorThatNamesIt(string named, params string[] words)
    {
        var environment = words
            .TakeWhile(word => word.StartsWith("DTI_", StringComparison.Ordinal))
            .ToDictionary(word => word.Split('=')[0], word => word.Split('=')[1]);
        string[] arguments = [.. words.Skip(environment.Count)];
        if (arguments[0] == "generate" && !arguments.Contains("--models"))
        {
            arguments = [.. arguments, "--models", _model];
        }

        var result = await DtiProcess.EndAsync(DtiProcess.Start(server.NewFolder(), environment, arguments));

        Assert.NotEqual(ExitCode.Ok, result.ExitCode);
        Assert.Contains(named, result.Error, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("picture", result.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_ModelFolderOfASettingsFileThatIsNotThere_IsAnErrorThatNamesIt()
    {
        var folder = server.NewFolder();
        await File.WriteAllTextAsync(
            Path.Combine(folder, "my.json"),
            """{"Dti": {"ModelFolders": ["/nowhere"]}}""",
            TestContext.Current.CancellationToken
        );
        var result = await DtiProcess.RunAsync(folder, "serve", "--config", "my.json", "--port", "0");
        Assert.Equal(ExitCode.NotFound, result.ExitCode);
        Assert.Contains(
            "There is no model file or folder '/nowhere'. Correct the path in ModelFolders",
            result.Error,
            StringComparison.Ordinal
        );
    }
}
