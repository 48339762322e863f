using System.Text.Json;
using System.Text.RegularExpressions;
using Dti.ClientSdk;
using Dti.Tests;

namespace Dti.Cli.Tests;

public partial class UsageTests(ServeFixture server)
{
    [Theory]
    [InlineData("")]
    [InlineData("demo")]
    [InlineData("train")]
    [InlineData("generate")]
    [InlineData("interpolate")]
    [InlineData("concepts")]
    [InlineData("models")]
    [InlineData("jobs")]
    [InlineData("serve")]
    [InlineData("doctor")]
    [InlineData("tokens")]
    public async Task Help_EveryCommand_ShowsExamples(string command)
    {
        var result = await DtiProcess.RunAsync(
            server.NewFolder(),
            [.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--help"]
        );

        Assert.Equal(ExitCode.Ok, result.ExitCode);
        Assert.Contains("Examples:", result.Output, StringComparison.Ordinal);
        Assert.Contains($"dti {command}".Trim(), result.Output, StringComparison.Ordinal);
        Assert.Empty(result.Error);
    }

    [Fact]
    public async Task Help_Root_ListsExitCodes()
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), "--help");

        Assert.Contains("130 cancelled", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("dti train", "train", "my-cat")]
    [InlineData("dti generate", "generate", "a photo", "--steps", "many")]
    [InlineData("dti generate", "generate", "a photo", "--preview-every", "2")]
    [InlineData("dti interpolate", "interpolate", "a", "b", "--easing", "wavy")]
    [InlineData("dti concepts", "concepts")]
    [InlineData("dti concepts show", "concepts", "show")]
    [InlineData("dti", "tarin")]
    public async Task WrongUsage_SaysWhereHelpIs_AndLeavesStdoutEmpty(string command, params string[] arguments)
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), arguments);

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Empty(result.Output);
        Assert.Contains($"See {AsTyped(command)} --help.", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no option '--step'. Did you mean --steps?", "train", "my-cat", "photos/", "--step", "5")]
    [InlineData("There is no option '--sed'. Did you mean --seed?", "generate", "a photo", "--sed=5")]
    [InlineData("There is no option '--modles'. Did you mean --models?", "models", "list", "--modles", "x")]
    [InlineData("There is no option '-q'.", "train", "my-cat", "photos/", "-q")]
    public async Task UnknownOption_IsNamedWithTheOneThatIsMeant(string expected, params string[] arguments)
    {
        var folder = server.NewFolder();

        var result = await DtiProcess.RunAsync(folder, arguments);
        var json = await DtiProcess.RunAsync(folder, [.. arguments, "--json"]);

        Assert.Equal((ExitCode.Usage, ""), (result.ExitCode, result.Output));
        Assert.StartsWith($"{expected}{Environment.NewLine}See ", result.Error, StringComparison.Ordinal);
        Assert.Equal(expected, json.Event("error").GetProperty("message").GetString());
    }

    [Fact]
    public async Task UnknownOption_BehindTwoHyphens_IsAnArgument()
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), "train", "my-cat", "--", "--step");

        Assert.Equal(ExitCode.NotFound, result.ExitCode);
        Assert.Contains("'--step'", result.Error, StringComparison.Ordinal);
    }

    /// <summary>A token travels only over https or within the machine, so an address with http elsewhere fails.</summary>
    [Theory]
    [InlineData("train")]
    [InlineData("generate")]
    [InlineData("jobs")]
    public async Task Help_EveryAddressInIt_IsAcceptedWithAToken(string command)
    {
        var help = await DtiProcess.RunAsync(server.NewFolder(), command, "--help");
        var addresses = Address().Matches(help.Output).Select(match => match.Value).ToArray();

        Assert.NotEmpty(addresses);
        Assert.All(addresses, address =>
        {
            using var client = new DtiClient(address, new DtiClientOptions { Token = new string('a', 43) });
        });
    }

    private static string AsTyped(string command) =>
        ProgramName.Of(AppContext.BaseDirectory, Path.GetTempPath(), OperatingSystem.IsWindows()) + command[3..];

    [Theory]
    [InlineData("serve")]
    [InlineData("tokens list")]
    [InlineData("demo")]
    [InlineData("models convert a b")]
    public async Task Server_CommandThatCallsNone_IsUsageAndNotInItsHelp(string command)
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), [.. command.Split(' '), "--server", server.Address]);
        var help = await DtiProcess.RunAsync(server.NewFolder(), [.. command.Split(' '), "--help"]);

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("--server is for commands that call a running server", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("--server <", help.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("de_DE.UTF-8")]
    [InlineData("tr_TR.UTF-8")]
    [InlineData("ar_SA.UTF-8")]
    [InlineData("C")]
    public async Task Generate_AnyLocale_ReadsTheDecimalPoint(string locale)
    {
        var folder = server.NewFolder();
        using var process = DtiProcess.Start(
            folder,
            new Dictionary<string, string> { ["LC_ALL"] = locale },
            "generate",
            "a red mug",
            "--guidance",
            "1.5",
            "--steps",
            "1",
            "--seed",
            "1",
            "--json",
            "--server",
            server.Address
        );

        var result = await DtiProcess.EndAsync(process);

        Assert.Equal(ExitCode.Ok, result.ExitCode);
        Assert.Contains("\"guidance_scale\":1.5", result.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("models", "list")]
    [InlineData("serve")]
    public async Task Models_PathThatIsNotThere_IsNotFoundAndNotReplacedByAnotherModel(params string[] command)
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), [.. command, "--models", "no/such/model"]);

        Assert.Equal(ExitCode.NotFound, result.ExitCode);
        Assert.Contains("There is no model file or folder 'no/such/model'.", result.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("list")]
    [InlineData("watch", "4f2a91")]
    [InlineData("cancel", "4f2a91")]
    public async Task Jobs_NoServerNamed_IsUsage(params string[] arguments)
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), ["jobs", .. arguments]);

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("name it by --server, or by DTI_SERVER", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Jobs_ServerOfTheEnvironment_IsAsked()
    {
        var result = await DtiProcess.EndAsync(
            DtiProcess.Start(
                server.NewFolder(),
                new Dictionary<string, string> { ["DTI_SERVER"] = server.Address },
                "jobs",
                "list"
            )
        );

        Assert.Equal(ExitCode.Ok, result.ExitCode);
    }

    [Fact]
    public async Task Environment_LevelOfTheLogThatIsNone_IsUsageForEveryCommand()
    {
        var folder = server.NewFolder();
        await File.WriteAllTextAsync(
            Path.Combine(folder, "appsettings.json"),
            """{"Logging": {"LogLevel": {"Dti": "Other"}}}"""
        ); // another program's
        var result = await DtiProcess.EndAsync(
            DtiProcess.Start(
                folder,
                new Dictionary<string, string> { ["Logging__LogLevel__Dti"] = "Loud" },
                "models",
                "list"
            )
        );

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.StartsWith(
            "error: Logging.LogLevel.Dti is 'Loud'; it must be one of",
            result.Error,
            StringComparison.Ordinal
        );
        Assert.Equal(ExitCode.Ok, (await DtiProcess.RunAsync(folder, "models", "list")).ExitCode);
    }

    [Fact]
    public async Task Memory_UnknownName_IsUsage()
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), "models", "list", "--memory", "tiny");

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("auto, low, balanced or high", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task WrongUsage_Json_IsAnErrorEvent()
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), "generate", "--json");

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Equal("USAGE", result.Event("error").GetProperty("code").GetString());
    }

    [Fact]
    public async Task ServerAway_IsUnreachable()
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), "generate", "a photo", "--server", "127.0.0.1:1");

        Assert.Equal(ExitCode.Unreachable, result.ExitCode);
        Assert.Contains("127.0.0.1:1", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task NoAddress_IsUsage()
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), "models", "list", "--server", "ftp://somewhere");

        Assert.Equal(ExitCode.Usage, result.ExitCode);
    }

    [Fact]
    public async Task Train_PhotoThatDoesNotExist_IsNotFound()
    {
        var result = await server.RunAsync(server.NewFolder(), "train", "x", "nowhere.png");

        Assert.Equal(ExitCode.NotFound, result.ExitCode);
        Assert.Contains("nowhere.png", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_FolderWithoutPhotos_IsNotFound()
    {
        var folder = server.NewFolder();
        await File.WriteAllTextAsync(Path.Combine(folder, "notes.txt"), "", TestContext.Current.CancellationToken);

        var result = await server.RunAsync(folder, "train", "x", ".");

        Assert.Equal(ExitCode.NotFound, result.ExitCode);
    }

    [Fact]
    public async Task Train_TooManyPhotos_SaysHowMany()
    {
        var folder = server.NewFolder();
        for (var i = 0; i < 51; i++)
            await File.WriteAllBytesAsync(
                Path.Combine(folder, $"{i}.png"),
                "BM"u8.ToArray(),
                TestContext.Current.CancellationToken
            );

        var result = await server.RunAsync(folder, "train", "x", ".");

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("51", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_FromPhotosOnAModelWithoutPhotoEncoder_SaysWhatToDo()
    {
        var result = await DtiProcess.RunAsync(
            server.NewFolder(),
            "train",
            "x",
            Fixtures.Common("preprocess_square.png"),
            "--start",
            "photos",
            "--models",
            Path.Combine(Fixtures.Root, "tiny-sd15")
        );

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("has no photo encoder", result.Error, StringComparison.Ordinal);
        Assert.Contains("Start at a word", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_SeveralWrongValues_NamesThemAll()
    {
        var result = await server.RunAsync(
            server.NewFolder(),
            "train",
            "x",
            Fixtures.Common("preprocess_square.png"),
            "--steps",
            "0",
            "--learning-rate",
            "2",
            "--beta",
            "1",
            "--json"
        );

        Assert.Equal(ExitCode.Usage, result.ExitCode);
        var fields = result
            .Event("error")
            .GetProperty("violations")
            .EnumerateArray()
            .Select(violation => violation.GetProperty("field").GetString());
        Assert.Equal(["options.beta", "options.learning_rate", "options.steps"], fields.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Train_WrongValueToAPerson_IsSaidOnce()
    {
        var result = await server.RunAsync(
            server.NewFolder(),
            "train",
            "x",
            Fixtures.Common("preprocess_square.png"),
            "--steps",
            "0"
        );

        Assert.Equal("error: options.steps: steps is 0; it must be from 1 to 100000.", result.Error.Trim());
    }

    [Fact]
    public async Task Train_NameThatIsTaken_NamesTheFlagThatReplaces()
    {
        string[] train =
        [
            "train",
            "taken",
            Fixtures.Common("preprocess_square.png"),
            "--steps",
            "1",
            "--resolution",
            "64",
            "--preview-every",
            "0",
        ];
        Assert.Equal(ExitCode.Ok, (await server.RunAsync(server.NewFolder(), train)).ExitCode);

        var result = await server.RunAsync(server.NewFolder(), train);

        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Contains(
            "'taken' already; choose another name, or ask to overwrite it (--force).",
            result.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Generate_UnknownConcept_IsNotFound()
    {
        var result = await server.RunAsync(server.NewFolder(), "generate", "a photo of <nobody>", "--json");

        Assert.Equal(ExitCode.NotFound, result.ExitCode);
        Assert.Equal(JsonValueKind.String, result.Event("error").GetProperty("message").ValueKind);
    }

    [Fact]
    public async Task Output_FullDisk_IsNamed()
    {
        Assert.SkipUnless(File.Exists("/dev/full"), "there is no /dev/full here");
        var folder = server.NewFolder();
        using var shell = DtiProcess.StartBy(
            "/bin/sh",
            folder,
            [],
            ["-c", "\"$0\" models list > /dev/full", DtiProcess.Program]
        );
        var result = await shell.EndAsync();
        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Contains(
            "The standard output cannot be written: No space left on device",
            result.Error,
            StringComparison.Ordinal
        );
    }

    [GeneratedRegex(@"https?://[^\s,]+")]
    private static partial Regex Address();
}
