using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using Dti.Cli.Hosting;
using Dti.Cli.Output;
using Dti.Engine;
using Dti.Server.Security;

namespace Dti.Cli.Commands;

/// <summary>
/// <c>dti tokens</c>: create, list, revoke. It works on the file that the server reads, on the server's machine.
/// </summary>
internal static partial class TokensCommand
{
    private static readonly string[] _usual = ["read", "generate", "train"];

    public static Command Create(CommonOptions common)
    {
        var config = new Option<string?>("--config")
        {
            Description =
                $"The server's settings, if they name the file of tokens (Security.TokenFile). Default: {ServeConfiguration.FileName} in the data folder, if it is there.",
            HelpName = "file",
            Recursive = true,
        };
        var command = new Command(
            "tokens",
            "Who may call this machine's server. With the first token, every call needs one; a running server notices at once."
        )
        {
            config,
            Create(common, config),
            List(common, config),
            Revoke(common, config),
        };
        common.SetLocal(command);
        Examples.Add(
            command,
            "dti tokens create alice",
            "dti tokens create alice-laptop --caller alice --expires 90d",
            "dti tokens create gallery --scope read --scope generate",
            "dti tokens create me --scope admin",
            "dti tokens list",
            "dti tokens revoke alice-laptop",
            "DTI_TOKEN=dti_… dti concepts list --server https://dti.example:5171"
        );
        return command;
    }

    private static Command Create(CommonOptions common, Option<string?> config)
    {
        var name = Name();
        var scopes = new Option<string[]>("--scope")
        {
            Description =
                "What it may do: read (see its own concepts and jobs, and the models), generate, train, admin (all, also with what others have). Repeatable. Default: read, generate and train.",
            HelpName = "scope",
        };
        var expires = new Option<string?>("--expires")
        {
            Description = "How long it is good: 12h, 30d, 8w. Default: until it is revoked.",
            HelpName = "time",
        };
        var caller = new Option<string?>("--caller")
        {
            Description =
                "Whom it stands for, where one caller has several tokens: they share concepts and jobs. Default: its name.",
            HelpName = "name",
        };
        var command = new Command("create", "Make a token and show it, this once.") { name, scopes, expires, caller };
        common.SetLocalAction(command, context =>
        {
            var given = context.Get(scopes) is { Length: > 0 } some
                ? some.SelectMany(text =>
                    text.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
                )
                : _usual;
            var (token, secret) = Create(
                Tokens(context, config),
                context.Get(name),
                [.. given],
                context.Get(expires),
                context.Get(caller)
            );
            context.Output.Event(
                "token",
                new
                {
                    token.Name,
                    token.Caller,
                    token.Scopes,
                    token.Created,
                    token.Expires,
                    Token = secret,
                }
            );
            context.Output.Line(
                $"Token '{token.Name}' of {token.Caller}, for {string.Join(", ", token.Scopes)}, good until {Until(token)}. It is shown this once:"
            );
            context.Output.Line(secret);
            return Task.CompletedTask;
        });
        return command;
    }

    // All that is wrong at once, so a lifetime that cannot be read continues as one that is never taken.
    private static (AccessToken Token, string Secret) Create(
        AccessTokens tokens,
        string name,
        string[] scopes,
        string? expires,
        string? caller
    )
    {
        var readable = TryRead(expires, out var lifetime);
        try
        {
            return tokens.Create(name, scopes, readable ? lifetime : TimeSpan.Zero, caller);
        }
        catch (ValidationException wrong) when (!readable)
        {
            throw new ValidationException([
                .. wrong.Violations.Where(violation => violation.Field != nameof(lifetime)),
                new("expires", $"--expires is '{expires}'; write it like 12h, 30d or 8w."),
            ]);
        }
    }

    private static Command List(CommonOptions common, Option<string?> config)
    {
        var command = new Command("list", "All tokens, without their secrets.");
        common.SetLocalAction(command, context =>
        {
            var tokens = Tokens(context, config);
            var all = tokens.List();
            foreach (var token in all)
                context.Output.Event("token", token);
            if (all.Count > 0)
                context.Output.Table(["NAME", "CALLER", "SCOPES", "CREATED", "GOOD UNTIL"], all.Select(Row));
            else if (tokens.Exists)
                context.Output.Line(
                    $"No tokens: the server lets nobody in. To open it to every program of this machine again, delete {ServeConfiguration.TokenFile(context.Get(config), context.Folders.Data)} and restart it."
                );
            else
                context.Output.Line(
                    "No tokens: the server is open to every program of this machine. "
                        + $"Make one: {ProgramName.Text} tokens create NAME"
                );
            return Task.CompletedTask;
        });
        return command;

        static IReadOnlyList<string> Row(AccessToken token) =>
            [token.Name, token.Caller, string.Join(", ", token.Scopes), Dates.Show(token.Created), Until(token)];
    }

    private static Command Revoke(CommonOptions common, Option<string?> config)
    {
        var name = Name();
        var command = new Command("revoke", "Take a token away.") { name };
        common.SetLocalAction(command, context =>
        {
            Tokens(context, config).Revoke(context.Get(name));
            context.Output.Event("revoked", new { name = context.Get(name) });
            context.Output.Line($"Revoked {context.Get(name)}.");
            return Task.CompletedTask;
        });
        return command;
    }

    private static Argument<string> Name() => new("name") { Description = "Name of the token." };

    private static AccessTokens Tokens(CommandContext context, Option<string?> config) =>
        new(ServeConfiguration.TokenFile(context.Get(config), context.Folders.Data));

    private static string Until(AccessToken token) =>
        token.Expires is { } end
            ? Dates.Show(end) + (end <= TimeProvider.System.GetUtcNow() ? " (expired)" : "")
            : "it is revoked";

    private static bool TryRead(string? text, out TimeSpan? lifetime)
    {
        lifetime = null;
        if (text is null)
            return true;
        if (
            Duration().Match(text) is not { Success: true } match
            || !int.TryParse(
                match.Groups["count"].Value,
                NumberStyles.None,
                CultureInfo.InvariantCulture,
                out var count
            )
            || count is < 1 or > 100_000
        )
            return false;
        lifetime = match.Groups["unit"].Value switch
        {
            "h" => TimeSpan.FromHours(count),
            "d" => TimeSpan.FromDays(count),
            _ => TimeSpan.FromDays(7L * count),
        };
        return true;
    }

    [GeneratedRegex(@"\A(?<count>[0-9]{1,6})(?<unit>[hdw])\z", RegexOptions.CultureInvariant)]
    private static partial Regex Duration();
}
