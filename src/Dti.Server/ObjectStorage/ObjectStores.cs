using System.Text;
using Dti.Engine;
using Dti.Server.Configuration;

namespace Dti.Server.ObjectStorage;

/// <summary>The storage that the settings of a cluster name.</summary>
internal static class ObjectStores
{
    private const string ServiceKey = "service"; // names the service whose storage it is

    /// <summary>Opens the storage; null: the hosts share the folders themselves, or there is no cluster.</summary>
    public static IObjectStore? Open(ClusterOptions cluster) =>
        !cluster.HasStorage ? null
        : S3Location.IsOne(cluster.Storage!)
            ? new S3ObjectStore(
                S3Location.Parse(cluster.Storage!)!,
                cluster.StorageEndpoint,
                cluster.StorageRegion,
                cluster is { StorageKeyId: { } id, StorageSecret: { } secret } ? (id, secret) : null
            )
        : new FolderObjectStore(cluster.Storage!);

    /// <summary>What is wrong with the settings; empty: nothing. The storage is not asked.</summary>
    public static IEnumerable<(string Setting, string Problem)> Problems(ClusterOptions cluster)
    {
        if (cluster.Storage is not { } location)
        {
            yield break;
        }

        if (S3Location.IsOne(location))
        {
            if (S3Location.Parse(location) is null)
            {
                yield return (
                    nameof(ClusterOptions.Storage),
                    $"Storage '{location}' names no bucket; write s3://bucket or s3://bucket/prefix."
                );
            }
        }
        else if (!Path.IsPathFullyQualified(location))
        {
            yield return (
                nameof(ClusterOptions.Storage),
                $"Storage '{location}' is neither s3://bucket/prefix nor the full path of a folder that all hosts mount."
            );
        }

        if (
            cluster.StorageEndpoint is { } endpoint
            && !(Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https")
        )
        {
            yield return (
                nameof(ClusterOptions.StorageEndpoint),
                $"StorageEndpoint '{endpoint}' is not an address; write it like https://minio:9000."
            );
        }

        if (cluster.StorageKeyId is null != cluster.StorageSecret is null)
        {
            yield return (
                nameof(ClusterOptions.StorageSecret),
                "StorageKeyId and StorageSecret belong together: set both, or neither to use what the AWS SDK finds."
            );
        }
    }

    /// <summary>
    /// Checks that the storage can be written, read, listed and deleted from, and is of this service.
    /// </summary>
    /// <exception cref="DtiException">It is not.</exception>
    public static async Task EnsureReadyAsync(
        this IObjectStore store,
        string service,
        CancellationToken cancellationToken
    )
    {
        var (probe, content) = ($"probes/{Guid.NewGuid():N}", Encoding.UTF8.GetBytes(service));
        await store.PutAsync(probe, content, cancellationToken);
        var read = await store.GetAsync(probe, cancellationToken);
        var listed = await store.ListAsync(probe, cancellationToken);
        await store.DeleteAsync(probe, cancellationToken);
        if (read is null || !read.AsSpan().SequenceEqual(content) || listed.Count != 1)
        {
            throw StorageErrors.Refused(
                store.Location,
                "it does not return what was just written",
                "Choose a storage whose reads and lists are consistent."
            );
        }

        if (await store.GetAsync(ServiceKey, cancellationToken) is not { } owner)
        {
            await store.PutAsync(ServiceKey, content, cancellationToken);
        }
        else if (Encoding.UTF8.GetString(owner) is var other && other != service)
        {
            throw StorageErrors.Refused(
                store.Location,
                $"it belongs to the service '{other}', and this host is of '{service}' (Cluster.Service)",
                "Choose another prefix or folder for it."
            );
        }
    }

    /// <summary>Deletes all objects whose keys begin with a prefix.</summary>
    /// <exception cref="DtiException">The storage does not answer, or refuses.</exception>
    public static async Task DeleteAllAsync(this IObjectStore store, string prefix)
    {
        foreach (var found in await store.ListAsync(prefix))
        {
            await store.DeleteAsync(found.Key);
        }
    }

    /// <summary>Waits for the storage, on a thread that may wait.</summary>
    public static T WaitForResult<T>(this Task<T> call) => call.GetAwaiter().GetResult();

    /// <inheritdoc cref="WaitForResult{T}"/>
    public static void WaitFor(this Task call) => call.GetAwaiter().GetResult();
}
