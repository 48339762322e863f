using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Jobs.Clustering;

namespace Dti.Server.Diagnosis;

/// <summary>Prepares the database of a cluster before its first host starts.</summary>
public static class ClusterSetup
{
    /// <summary>Creates or migrates the tables that the hosts need; a second time has no effect.</summary>
    /// <param name="options">The options of a host.</param>
    /// <param name="cancellationToken">Gives up; nothing is changed then.</param>
    /// <returns>What was done, as a sentence.</returns>
    /// <exception cref="ValidationException">The options name no cluster.</exception>
    /// <exception cref="DtiException">The database does not answer, or refuses.</exception>
    public static Task<string> InitializeAsync(
        DtiServerOptions options,
        CancellationToken cancellationToken = default
    ) =>
        options.Cluster.Connection is { } connection
            ? ClusterDatabase.InitializeAsync(connection, cancellationToken)
            : throw new ValidationException([
                new(
                    $"{nameof(DtiServerOptions.Cluster)}.{nameof(ClusterOptions.Connection)}",
                    "There is no cluster to prepare: name its database in DTI_CLUSTER__CONNECTION or --cluster."
                ),
            ]);
}
