using System.CommandLine;
using Dti.Cli.Hosting;
using Dti.Cli.Output;
using Dti.ClientSdk;
using Dti.Server.Diagnosis;
using Dti.Server.Hosting;

namespace Dti.Cli.Commands;

/// <summary><c>dti cluster</c>: prepares the database that the hosts of a cluster share, and lists the hosts.</summary>
internal static class ClusterCommand
{
    public static Command Create(CommonOptions common)
    {
        var command = new Command("cluster", "A cluster of servers (docs/cluster.md): prepare it, list its hosts.")
        {
            Init(common),
            Status(common),
        };
        Examples.Add(
            command,
            "dti cluster init --cluster \"Host=db;Database=dti;Username=dti\"",
            "dti cluster init --config /etc/dti/appsettings.json",
            "dti cluster status --server https://dti.example:5171"
        );
        return command;
    }

    private static Command Status(CommonOptions common)
    {
        var command = new Command(
            "status",
            "The hosts that are alive: roles, versions, devices, memory, loaded models, running jobs. It needs a token with the scope admin."
        );
        common.SetAction(command, async context =>
        {
            var connection = await context.ConnectToNamedAsync("Hosts").ConfigureAwait(false);
            await using (connection.ConfigureAwait(false))
            {
                var hosts = await connection.Client.GetClusterAsync(context.CancellationToken).ConfigureAwait(false);
                foreach (var host in hosts)
                {
                    context.Output.Event("host", host);
                }

                if (hosts.Count == 0)
                {
                    context.Output.Line("The server is no host of a cluster.");
                }
                else
                {
                    context.Output.Table(
                        ["HOST", "ROLE", "VERSION", "ADDRESS", "DEVICE", "FREE", "LOADED", "JOBS"],
                        hosts.Select(Row)
                    );
                }
            }
        });
        return command;

        static IReadOnlyList<string> Row(ClusterHost host) =>
            [
                host.Name,
                host.Role,
                host.Version,
                host.Address,
                string.Join(", ", host.Devices.Select(device => $"{device.Name.Split('/')[^1]} {device.Dtype}")),
                string.Join(
                    ", ",
                    host.Devices.Select(device =>
                        $"{Numbers.Size(device.FreeMemoryBytes)} of {Numbers.Size(device.JobMemoryBytes)}"
                    )
                ),
                string.Join(", ", host.Models.Where(model => model.Loaded).Select(model => model.Name)),
                string.Join(
                    ", ",
                    host.Devices.SelectMany(device => device.Jobs)
                        .Select(job => $"{SettingsTable.Word(job.Kind)} {job.JobId[..6]} {job.Step}/{job.TotalSteps}")
                ),
            ];
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
