using System.CommandLine;
using System.Net.Sockets;
using Dti.Cli.Hosting;
using Dti.Server.Configuration;
using Dti.Server.Hosting;

namespace Dti.Cli.Commands;

/// <summary><c>dti studio</c>.</summary>
internal static class StudioCommand
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(10);

    public static Command Create(CommonOptions common)
    {
        var quiet = new Option<bool>("--no-browser") { Description = "Show the page's address without opening it." };
        var command = new Command(
            "studio",
            "Open Dti Studio, the page to work in, in a browser: of the server that runs, or else of one that this command runs until Ctrl+C."
        )
        {
            quiet,
        };
        Examples.Add(
            command,
            "dti studio",
            "dti studio --models ~/ComfyUI",
            "dti studio --server https://dti.example:5171 --no-browser"
        );

        common.SetAction(command, async context =>
        {
            var told = ServeConfiguration.Read(null, context.Folders.Data, common.ServerFlags.Given(context.Arguments));
            var address = context.ServerAddress is { Length: > 0 } named
                ? named
                : await FindAsync(ServerConfiguration.Bind(told)).ConfigureAwait(false);
            if (address is null)
            {
                await ServeCommand.RunAsync(context, told, Open).ConfigureAwait(false);
                return;
            }

            var page = await PageOfAsync(context with { ServerAddress = address }).ConfigureAwait(false);
            context.Output.Event("studio", new { address = page });
            context.Output.Line($"Dti Studio is at {page}");
            Open(page);

            void Open(string page)
            {
                if (!context.Get(quiet) && !Browser.TryOpen(page))
                    context.Output.Warning("NO_BROWSER", $"No browser could be started. Open {page} in one.");
            }
        });
        return command;
    }

    /// <summary>The address of the server that runs where this command's own would listen; null: none does.</summary>
    private static async Task<string?> FindAsync(DtiServerOptions options)
    {
        if (options.Port == 0)
            return null;
        var scheme = options.Security.TlsCertificate is null ? "http" : "https";
        var host = options.Address is "0.0.0.0" or "::" ? "localhost" : options.Address;
        using var socket = new TcpClient();
        try
        {
            await socket.ConnectAsync(host, options.Port).ConfigureAwait(false);
            return new UriBuilder(scheme, host, options.Port).Uri.GetLeftPart(UriPartial.Authority);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    private static async Task<string> PageOfAsync(CommandContext context)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(context.CancellationToken);
        patience.CancelAfter(_patience);
        var connection = await context.ConnectAsync().ConfigureAwait(false);
        await using (connection.ConfigureAwait(false))
        {
            var server = await connection.Client.GetServerAsync(patience.Token).ConfigureAwait(false);
            // The server names its page by an address of its own machine.
            return server.StudioAddress is { } page
                ? new UriBuilder(page)
                {
                    Host = new Uri(
                        context.ServerAddress!.Contains("://", StringComparison.Ordinal)
                            ? context.ServerAddress
                            : "http://" + context.ServerAddress
                    ).Host,
                }.Uri.GetLeftPart(UriPartial.Authority)
                : throw new CliException(
                    ExitCode.Failed,
                    $"The server {context.ServerAddress} has no page: it runs with --studio false, or is older than this command."
                );
        }
    }
}
