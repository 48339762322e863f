using System.CommandLine;
using Dti.Server.Configuration;

namespace Dti.Cli.Commands;

/// <summary>The options of commands that concern a cluster of servers.</summary>
internal static class ClusterFlags
{
    /// <summary>Adds the database.</summary>
    public static void AddConnection(FlagSet flags) =>
        flags.Add(
            Key(nameof(ClusterOptions.Connection)),
            new Option<string?>("--cluster")
            {
                Description =
                    "Database of the cluster that the server is a host of: PostgreSQL as Host=db;Database=dti;Username=dti, or Redis as redis:6379 (docs/cluster.md). "
                    + "With a password, use DTI_CLUSTER__CONNECTION, as other users of this machine see options. Default: no cluster.",
                HelpName = "connection",
            }
        );

    /// <summary>Adds the role of a host.</summary>
    public static void AddRole(FlagSet flags) =>
        flags.Add(
            Key(nameof(ClusterOptions.Role)),
            new Option<string?>("--role")
            {
                Description =
                    "What a host of a cluster does: gateway accepts calls, worker runs jobs, all does both. Default: all.",
                HelpName = "all|gateway|worker",
            }
        );

    private static string Key(string name) => $"{nameof(DtiServerOptions.Cluster)}:{name}";
}
