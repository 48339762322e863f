using System.CommandLine;
using Dti.Cli.Hosting;
using Dti.Cli.Output;

namespace Dti.Cli.Commands;

/// <summary>What a command works with.</summary>
internal sealed record CommandContext(
    ParseResult Arguments, IOutput Output, string? ServerAddress, Credentials Credentials, DataFolders Folders, CancellationToken CancellationToken)
{
    public T? Get<T>(Option<T> option) => Arguments.GetValue(option);

    public T Get<T>(Argument<T> argument) => Arguments.GetRequiredValue(argument);

    /// <summary>A client of the server that was named, or of one in this process.</summary>
    public Task<Connection> ConnectAsync() => Connection.OpenAsync(ServerAddress, Credentials, Folders, CancellationToken);
}
