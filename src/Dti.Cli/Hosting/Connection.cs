using Dti.ClientSdk;

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

    public static async Task<Connection> OpenAsync(string? address, DataFolders folders, CancellationToken cancellationToken)
    {
        if (address is { Length: > 0 })
        {
            try
            {
                return new Connection(new DtiClient(address), null);
            }
            catch (UriFormatException exception)
            {
                throw new CliException(ExitCode.Usage, exception.Message);
            }
        }

        var server = await LocalServer.StartAsync(LocalServer.Options(folders), cancellationToken).ConfigureAwait(false);
        return new Connection(new DtiClient(server.Address), server);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        if (_server is not null)
            await _server.DisposeAsync().ConfigureAwait(false);
    }
}
