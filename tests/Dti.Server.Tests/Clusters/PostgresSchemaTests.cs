using Dti.Server.Jobs.Clustering;
using Dti.Server.Tests.Infrastructure;

namespace Dti.Server.Tests.Clusters;

/// <summary>The tables of a cluster in a real PostgreSQL.</summary>
public sealed class PostgresSchemaTests
{
    [Fact]
    public async Task Initialize_Repeated_ChangesNothing()
    {
        await using var database = await DatabaseServer.PostgresAsync();
        var cancellation = TestContext.Current.CancellationToken;

        Assert.Contains("dti cluster init", await ProblemAsync() ?? "", StringComparison.Ordinal);
        Assert.Contains("created", await InitializeAsync(), StringComparison.Ordinal);
        Assert.Contains("already", await InitializeAsync(), StringComparison.Ordinal);
        Assert.Null(await ProblemAsync());

        await using var newer = Npgsql.NpgsqlDataSource.Create(database.Connection);
        await newer.CreateCommand("INSERT INTO dti_schema (version) VALUES (1000)").ExecuteNonQueryAsync(cancellation);
        Assert.Contains("newer", await ProblemAsync() ?? "", StringComparison.Ordinal);

        Task<string> InitializeAsync() => ClusterDatabase.InitializeAsync(database.Connection, cancellation);
        Task<string?> ProblemAsync() => ClusterDatabase.ReadinessProblemAsync(database.Connection, cancellation);
    }
}
