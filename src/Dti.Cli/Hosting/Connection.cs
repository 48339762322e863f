using Dti.ClientSdk;
using Dti.Server.Security;

namespace Dti.Cli.Hosting;

/// <summary>A client, and the server in this process if it talks to one.</summary>
internal sealed class Connection : IAsyncDisposable
{
    private readonly LocalServer? _server;

    private Connection(DtiClient client, LocalServer? server)
    {
        Client = client;
        _server = server;
    }

    public DtiClient Client { get; }

    public static async Task<Connection> OpenAsync(
        string? address,
        Credentials credentials,
        DataFolders folders,
        CancellationToken cancellationToken
    )
    {
        if (address is { Length: > 0 })
        {
            try
            {
                return new Connection(new DtiClient(address, credentials.Read(address)), null);
            }
            catch (UriFormatException exception)
            {
                throw new CliException(ExitCode.Usage, exception.Message);
            }
        }

        return await OpenOwnAsync(folders, cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A server of the command's own, which nobody else can call.</summary>
    public static async Task<Connection> OpenOwnAsync(DataFolders folders, CancellationToken cancellationToken)
    {
        // Other users of this machine must not be able to use the server.
        var secret = AccessTokens.NewSecret();
        var options = LocalServer.Options(folders) with { Security = new() { OwnerToken = secret } };
        var server = await LocalServer.StartAsync(options, cancellationToken).ConfigureAwait(false);
        return new Connection(new DtiClient(server.Address, new DtiClientOptions { Token = secret }), server);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_server is not null)
            await _server.DisposeAsync().ConfigureAwait(false);
    }
}
