using System.Net;
using Dti.Tests;

namespace Dti.Cli.Tests;

/// <summary>Tokens and certificates, from the command that makes them to the one that uses them.</summary>
public class TokensTests(ServeFixture fixture)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tokens_CreatedListedRevoked_SecretIsShownOnceAndKeptNowhere()
    {
        var folder = fixture.NewFolder();
        var made = (
            await DtiProcess.RunAsync(
                folder,
                "tokens",
                "create",
                "alice",
                "--scope",
                "read,generate",
                "--expires",
                "30d",
                "--json"
            )
        ).Event("token");
        var secret = made.GetProperty("token").GetString()!;
        var listed = await DtiProcess.RunAsync(folder, "tokens", "list", "--json");

        Assert.Equal("alice", listed.Event("token").GetProperty("name").GetString());
        Assert.Equal(
            TimeSpan.FromDays(30),
            made.GetProperty("expires").GetDateTimeOffset() - made.GetProperty("created").GetDateTimeOffset()
        );
        Assert.DoesNotContain(secret, listed.Output, StringComparison.Ordinal);
        var file = Path.Combine(folder, "home", "tokens.json");
        Assert.DoesNotContain(
            secret["dti_".Length..],
            await File.ReadAllTextAsync(file, Cancellation),
            StringComparison.Ordinal
        );
        if (!OperatingSystem.IsWindows())
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));

        Assert.Equal(ExitCode.NotFound, (await DtiProcess.RunAsync(folder, "tokens", "revoke", "alise")).ExitCode);
        Assert.Equal(ExitCode.Ok, (await DtiProcess.RunAsync(folder, "tokens", "revoke", "alice")).ExitCode);
        Assert.Contains(
            "lets nobody in",
            (await DtiProcess.RunAsync(folder, "tokens", "list")).Output,
            StringComparison.Ordinal
        );
    }

    [Theory]
    [InlineData("write it like 12h", "--expires", "soon")]
    [InlineData("'reed' is no scope", "--scope", "reed")]
    [InlineData("is no name for a token or caller", "--caller", "a b")]
    public async Task Create_WrongValue_IsUsage(string says, params string[] arguments)
    {
        var result = await DtiProcess.RunAsync(fixture.NewFolder(), ["tokens", "create", "alice", .. arguments]);
        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains(says, result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Create_SeveralWrongValues_NamesThemAll()
    {
        var folder = fixture.NewFolder();
        var result = await DtiProcess.RunAsync(
            folder,
            "tokens",
            "create",
            "a b",
            "--scope",
            "banana",
            "--scope",
            "read,foo",
            "--expires",
            "0h"
        );
        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.All(["'a b' is no name", "'banana', 'foo' is no scope", "--expires is '0h'"], says =>
            Assert.Contains(says, result.Error, StringComparison.Ordinal)
        );
        Assert.DoesNotContain("has expired", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(folder, "home", "tokens.json")));
    }

    [Fact]
    public async Task List_TokenThatHasExpired_SaysSo()
    {
        var folder = fixture.NewFolder();
        var tokens = new Server.Security.AccessTokens(Path.Combine(folder, "home", "tokens.json"));
        tokens.Create("old", ["read"], TimeSpan.FromTicks(1));
        tokens.Create("young", ["read"], TimeSpan.FromDays(1));
        var lines = (await DtiProcess.RunAsync(folder, "tokens", "list")).Output.Split('\n');
        Assert.Contains(
            "(expired)",
            Assert.Single(lines, line => line.StartsWith("old", StringComparison.Ordinal)),
            StringComparison.Ordinal
        );
        Assert.DoesNotContain(
            "(expired)",
            Assert.Single(lines, line => line.StartsWith("young", StringComparison.Ordinal)),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Serve_AddressThatTheMachineHasNot_SaysSoInASentence()
    {
        var folder = fixture.NewFolder();
        using var certificate = Certificates.For(IPAddress.Loopback);
        var (file, key) = Certificates.Write(folder, "server", certificate);
        await CreateAsync(folder, "alice");
        var result = await DtiProcess.RunAsync(
            folder,
            "serve",
            "--address",
            "192.0.2.1",
            "--port",
            "6175",
            "--tls-cert",
            file,
            "--tls-key",
            key
        );
        Assert.Equal(ExitCode.Failed, result.ExitCode);
        Assert.Contains("error: 192.0.2.1:6175 cannot be listened on: ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_ToOtherMachinesWithoutTlsAndToken_IsUsageAndNamesBoth()
    {
        var result = await DtiProcess.RunAsync(fixture.NewFolder(), "serve", "--address", "0.0.0.0", "--port", "0");
        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("--tls-cert and --tls-key", result.Error, StringComparison.Ordinal);
        Assert.Contains("dti tokens create", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Serve_WithTlsAndTokens_LetsInWhoHasOne()
    {
        var folder = fixture.NewFolder();
        using var authority = Certificates.Authority();
        using var certificate = Certificates.For(IPAddress.Loopback, authority);
        var (file, key) = Certificates.Write(folder, "server", certificate);
        var (ca, _) = Certificates.Write(folder, "ca", authority);
        var token = await CreateAsync(folder, "alice");
        using var serve = DtiProcess.Start(
            folder,
            "serve",
            "--address",
            "0.0.0.0",
            "--port",
            "0",
            "--tls-cert",
            file,
            "--tls-key",
            key,
            "--json"
        );
        var address =
            $"https://127.0.0.1:{new Uri((await serve.ReadEventAsync()).GetProperty("address").GetString()!).Port}";

        Assert.Equal(ExitCode.Ok, (await ListAsync(folder, address, ("DTI_TOKEN", token), ("DTI_CA", ca))).ExitCode);
        await File.WriteAllTextAsync(Path.Combine(folder, "token"), token + "\n", Cancellation);
        Assert.Equal(
            ExitCode.Ok,
            (
                await DtiProcess.RunAsync(
                    folder,
                    "models",
                    "list",
                    "--server",
                    address,
                    "--token-file",
                    "token",
                    "--ca",
                    ca
                )
            ).ExitCode
        );

        var doctor = await DtiProcess.EndAsync(
            DtiProcess.Start(folder, new Dictionary<string, string> { ["DTI_CA"] = ca }, "doctor", "--server", address)
        );
        Assert.Equal(ExitCode.Ok, doctor.ExitCode);
        Assert.Contains($"{address} is ready, and wants a token", doctor.Output, StringComparison.Ordinal);

        var (missing, wrong) = (
            await ListAsync(folder, address, ("DTI_CA", ca)),
            await ListAsync(folder, address, ("DTI_TOKEN", "dti_wrong"), ("DTI_CA", ca))
        );
        Assert.Contains("This server requires a valid token: set DTI_TOKEN", missing.Error, StringComparison.Ordinal);
        Assert.Equal(missing, wrong);
        Assert.Contains(
            "certificate is not trusted",
            (await ListAsync(folder, address, ("DTI_TOKEN", token))).Error,
            StringComparison.Ordinal
        );

        var reader = await CreateAsync(folder, "reader", "--scope", "read"); // the server runs
        var denied = await DtiProcess.EndAsync(
            DtiProcess.Start(
                folder,
                new Dictionary<string, string> { ["DTI_TOKEN"] = reader, ["DTI_CA"] = ca },
                "generate",
                "a cat",
                "--server",
                address
            )
        );
        Assert.Contains(
            "needs the scope generate, which your token does not have",
            denied.Error,
            StringComparison.Ordinal
        );
        await DtiProcess.RunAsync(folder, "tokens", "revoke", "alice");
        Assert.Equal(missing, await ListAsync(folder, address, ("DTI_TOKEN", token), ("DTI_CA", ca)));

        DtiProcess.Interrupt(serve);
        var ended = await DtiProcess.EndAsync(serve);
        Assert.Equal(ExitCode.Ok, ended.ExitCode);
        Assert.Contains("was refused: the token is not known", ended.Error, StringComparison.Ordinal);
        Assert.DoesNotContain(token, ended.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("dti_wrong", ended.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Token_PlainHttpToAnotherMachine_IsRefusedBeforeItIsSent()
    {
        var result = await ListAsync(fixture.NewFolder(), "http://dti.example:5171", ("DTI_TOKEN", "dti_secret"));
        Assert.Equal(ExitCode.Usage, result.ExitCode);
        Assert.Contains("use an https:// address", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("dti_secret", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Command_WithAServerOfItsOwn_NeedsNoTokenThoughThereAreSome()
    {
        var folder = fixture.NewFolder();
        await CreateAsync(folder, "alice");
        Assert.Equal(ExitCode.Ok, (await DtiProcess.RunAsync(folder, "models", "list")).ExitCode);
    }

    private static async Task<string> CreateAsync(string folder, string name, params string[] arguments) =>
        (await DtiProcess.RunAsync(folder, ["tokens", "create", name, "--json", .. arguments]))
            .Event("token")
            .GetProperty("token")
            .GetString()!;

    private static Task<DtiResult> ListAsync(
        string folder,
        string address,
        params (string Name, string Value)[] environment
    ) =>
        DtiProcess.EndAsync(
            DtiProcess.Start(
                folder,
                environment.ToDictionary(pair => pair.Name, pair => pair.Value),
                "models",
                "list",
                "--server",
                address
            )
        );
}
