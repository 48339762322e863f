using System.CommandLine;
using Dti.Cli.Hosting;
using Dti.Server.Diagnosis;
using Dti.Server.Hosting;

namespace Dti.Cli.Commands;

/// <summary><c>dti cluster</c>: prepares the database that the hosts of a cluster share.</summary>
internal static class ClusterCommand
{
    public static Command Create(CommonOptions common)
    {
        var command = new Command("cluster", "Prepare a cluster of servers (docs/cluster.md).") { Init(common) };
        common.SetLocal(command);
        Examples.Add(
            command,
            "dti cluster init --cluster \"Host=db;Database=dti;Username=dti\"",
            "dti cluster init --config /etc/dti/appsettings.json"
        );
        return command;
    }

    private static Command Init(CommonOptions common)
    {
        var config = new Option<string?>("--config")
        {
            Description = "The server's settings, as for dti serve.",
            HelpName = "file",
        };
        var flags = new FlagSet();
        ClusterFlags.AddConnection(flags);
        var command = new Command(
            "init",
            "Create or migrate the tables that the hosts of a cluster need in PostgreSQL. It can be repeated; Redis needs no tables."
        )
        {
            config,
        };
        foreach (var flag in flags.Options)
            command.Add(flag);
        common.SetLocalAction(command, async context =>
        {
            var options = ServerConfiguration.Bind(
                ServeConfiguration.Read(
                    context.Get(config),
                    context.Folders.Data,
                    [.. common.ServerFlags.Given(context.Arguments), .. flags.Given(context.Arguments)]
                )
            );
            var done = await ClusterSetup.InitializeAsync(options, context.CancellationToken).ConfigureAwait(false);
            context.Output.Event("initialized", new { done });
            context.Output.Line(done);
        });
        return command;
    }
}
