using System.Globalization;
using Npgsql;

namespace Dti.Server.Jobs.Clustering;

/// <summary>
/// The tables of a cluster in PostgreSQL, and the queries by which Orleans reads and writes them. Each version has an
/// embedded script, which leads there from the version before.
/// </summary>
internal static class PostgresSchema
{
    /// <summary>The version that this program needs.</summary>
    public const int Newest = 1;

    private const long Lock = 0x447469; // held while scripts are applied, so that two hosts do not do it at once

    /// <summary>The version of the tables in a database; 0: there are none.</summary>
    /// <exception cref="NpgsqlException">The database does not answer, or refuses.</exception>
    public static async Task<int> VersionAsync(string connection, CancellationToken cancellationToken)
    {
        await using var database = new NpgsqlConnection(connection);
        await database.OpenAsync(cancellationToken);
        return await VersionAsync(database, cancellationToken);
    }

    /// <summary>Applies the scripts that a database does not have yet: all of them, or none if one fails.</summary>
    /// <returns>The version before.</returns>
    /// <exception cref="NpgsqlException">The database does not answer, or refuses.</exception>
    public static async Task<int> ApplyAsync(string connection, CancellationToken cancellationToken)
    {
        await using var database = new NpgsqlConnection(connection);
        await database.OpenAsync(cancellationToken);
        await using var transaction = await database.BeginTransactionAsync(cancellationToken);
        await ExecuteAsync(
            database,
            string.Create(CultureInfo.InvariantCulture, $"SELECT pg_advisory_xact_lock({Lock})"),
            cancellationToken
        );
        var before = await VersionAsync(database, cancellationToken);
        for (var version = before + 1; version <= Newest; version++)
        {
            await ExecuteAsync(database, Script(version), cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return before;
    }

    private static async Task<int> VersionAsync(NpgsqlConnection database, CancellationToken cancellationToken)
    {
        await using var exists = new NpgsqlCommand("SELECT to_regclass('dti_schema') IS NOT NULL", database);
        if (await exists.ExecuteScalarAsync(cancellationToken) is not true)
        {
            return 0;
        }

        await using var newest = new NpgsqlCommand("SELECT coalesce(max(version), 0) FROM dti_schema", database);
        return (int)(await newest.ExecuteScalarAsync(cancellationToken))!;
    }

    private static async Task ExecuteAsync(NpgsqlConnection database, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, database);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static string Script(int version)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"sql/{version:D4}.sql");
        using var stream = typeof(PostgresSchema).Assembly.GetManifestResourceStream(name)!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
