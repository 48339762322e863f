using System.Data.Common;
using Dti.Engine;
using Npgsql;
using StackExchange.Redis;

namespace Dti.Server.Jobs.Clustering;

/// <summary>The database of a cluster, PostgreSQL or Redis, as its connection string names it.</summary>
internal static class ClusterDatabase
{
    private static readonly char[] _delimiters = ['=', ':', ',', ';'];

    /// <summary>
    /// Whether a connection string names PostgreSQL: it begins with a key and a value. One of Redis begins with a host.
    /// </summary>
    public static bool IsPostgres(string connection) =>
        connection.IndexOfAny(_delimiters) is var end and > 0 && connection[end] == '=';

    /// <summary>Why a connection string cannot be used; null: its form is right.</summary>
    public static string? Problem(string connection)
    {
        try
        {
            return connection.Contains("://", StringComparison.Ordinal)
                    ? "a connection string is no URL: write Host=db;Database=dti;Username=dti for PostgreSQL, or redis:6379 for Redis"
                : IsPostgres(connection) ? OfPostgres(connection)
                : OfRedis(connection);
        }
        catch (Exception error) when (error is ArgumentException or FormatException)
        {
            return error.Message.TrimEnd('.');
        }
    }

    /// <summary>Checks that the database answers and has the tables that this program needs.</summary>
    /// <exception cref="DtiException">It does not.</exception>
    public static async Task EnsureReadyAsync(string connection, CancellationToken cancellationToken)
    {
        if (await ReadinessProblemAsync(connection, cancellationToken) is { } problem)
        {
            throw new DtiException(ErrorKind.FailedPrecondition, problem);
        }
    }

    /// <summary>Why hosts cannot use the database; null: they can.</summary>
    public static async Task<string?> ReadinessProblemAsync(string connection, CancellationToken cancellationToken)
    {
        try
        {
            if (!IsPostgres(connection))
            {
                await PingRedisAsync(connection);
                return null;
            }

            var version = await PostgresSchema.VersionAsync(connection, cancellationToken);
            return version == PostgresSchema.Newest ? null
                : version > PostgresSchema.Newest
                    ? $"The tables of the cluster's database have version {version}, and this program knows version {PostgresSchema.Newest}: use the newer program."
                : version == 0 ? "The cluster's database has no tables of Dti: create them with 'dti cluster init'."
                : $"The tables of the cluster's database have version {version}, and this program needs version {PostgresSchema.Newest}: run 'dti cluster init'.";
        }
        catch (Exception error) when (IsOfDatabase(error))
        {
            return Unreachable(error);
        }
    }

    /// <summary>Prepares the database for the hosts of a cluster; a second time has no effect.</summary>
    /// <returns>What was done, as a sentence.</returns>
    /// <exception cref="DtiException">The database does not answer, or refuses.</exception>
    public static async Task<string> InitializeAsync(string connection, CancellationToken cancellationToken)
    {
        try
        {
            if (!IsPostgres(connection))
            {
                await PingRedisAsync(connection);
                return "Redis answers. It needs no tables.";
            }

            var before = await PostgresSchema.ApplyAsync(connection, cancellationToken);
            return before switch
            {
                0 => $"The tables of version {PostgresSchema.Newest} were created.",
                PostgresSchema.Newest => $"The tables are there already, in version {PostgresSchema.Newest}.",
                > PostgresSchema.Newest =>
                    $"The tables have version {before}, which is newer than this program; nothing was changed.",
                _ => $"The tables were migrated from version {before} to version {PostgresSchema.Newest}.",
            };
        }
        catch (Exception error) when (IsOfDatabase(error))
        {
            throw new DtiException(ErrorKind.FailedPrecondition, Unreachable(error), innerException: error);
        }
    }

    private static string Unreachable(Exception error) =>
        $"The cluster's database cannot be used: {error.Message.TrimEnd('.')}. Check the connection string and whether the database runs.";

    private static bool IsOfDatabase(Exception error) =>
        error is DbException or RedisException or TimeoutException or IOException or System.Net.Sockets.SocketException;

    private static async Task PingRedisAsync(string connection)
    {
        var redis = await ConnectionMultiplexer.ConnectAsync(connection);
        await using (redis)
        {
            await redis.GetDatabase().PingAsync();
        }
    }

    private static string? OfPostgres(string connection)
    {
        var parts = new NpgsqlConnectionStringBuilder(connection);
        return string.IsNullOrEmpty(parts.Host) || string.IsNullOrEmpty(parts.Database)
            ? "PostgreSQL needs a host and a database: Host=db;Database=dti;Username=dti"
            : null;
    }

    private static string? OfRedis(string connection) =>
        ConfigurationOptions.Parse(connection).EndPoints.Count == 0 ? "Redis needs a host: redis:6379" : null;
}
