using System.CommandLine;
using Dti.Cli.Hosting;
using Dti.Cli.Output;

namespace Dti.Cli.Commands;

/// <summary>What a command works with.</summary>
internal sealed record CommandContext(
    ParseResult Arguments,
    IOutput Output,
    string? ServerAddress,
    Credentials Credentials,
    DataFolders Folders,
    CancellationToken CancellationToken
)
{
    public T? Get<T>(Option<T> option) => Arguments.GetValue(option);

    public T Get<T>(Argument<T> argument) => Arguments.GetRequiredValue(argument);

    /// <summary>A client of the server that was named.</summary>
    /// <exception cref="CliException">None was: a server of the command's own would know nothing of what is
    /// asked.</exception>
    public Task<Connection> ConnectToNamedAsync(string what) =>
        ServerAddress is { Length: > 0 }
            ? ConnectAsync()
            : throw new CliException(
                ExitCode.Usage,
                $"{what} are a running server's: name it by --server, or by DTI_SERVER."
            );

    /// <summary>A client of the server that was named, or of one in this process.</summary>
    public Task<Connection> ConnectAsync() =>
        Connection.OpenAsync(ServerAddress, Credentials, Folders, CancellationToken);
}
