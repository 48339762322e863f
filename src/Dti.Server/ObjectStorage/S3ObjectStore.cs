using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Dti.Server.ObjectStorage;

/// <summary>Objects in a bucket of S3, or of a service with its interface, below a prefix.</summary>
internal sealed class S3ObjectStore : IObjectStore, IDisposable
{
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20); // in addition to a second for each MiB
    private readonly AmazonS3Client _client;
    private readonly string _bucket;
    private readonly string _prefix;

    /// <param name="location">Bucket and prefix.</param>
    /// <param name="endpoint">The service; null: the one of the region.</param>
    /// <param name="region">The region; null: what the SDK finds, or the one that services other than AWS expect.</param>
    /// <param name="credentials">Key and secret; null: what the SDK finds.</param>
    public S3ObjectStore(
        S3Location location,
        string? endpoint,
        string? region,
        (string KeyId, string Secret)? credentials
    )
    {
        (_bucket, _prefix, Location) = (location.Bucket, location.Prefix, location.ToString());
        var config = new AmazonS3Config
        {
            MaxErrorRetry = 2,
            ConnectTimeout = TimeSpan.FromSeconds(3),
            // other services do not know the newer checksums
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (endpoint is not null)
        {
            (config.ServiceURL, config.ForcePathStyle) = (endpoint, true);
            config.AuthenticationRegion = region ?? "us-east-1";
        }
        else if (region is not null)
        {
            config.RegionEndpoint = Amazon.RegionEndpoint.GetBySystemName(region);
        }

        _client = credentials is { } known
            ? new AmazonS3Client(new BasicAWSCredentials(known.KeyId, known.Secret), config)
            : new AmazonS3Client(config);
    }

    /// <inheritdoc/>
    public string Location { get; }

    /// <summary>How many objects a list asks for at a time.</summary>
    internal int PageSize { get; set; } = 1000;

    /// <inheritdoc/>
    public Task PutAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken = default) =>
        DoAsync(
            content.Length,
            async timed =>
            {
                using var stream = new MemoryStream(content.ToArray(), writable: false);
                return await _client.PutObjectAsync(
                    new PutObjectRequest
                    {
                        BucketName = _bucket,
                        Key = _prefix + key,
                        InputStream = stream,
                        UseChunkEncoding = false, // not known everywhere
                    },
                    timed
                );
            },
            cancellationToken
        );

    /// <inheritdoc/>
    public Task<byte[]?> GetAsync(string key, CancellationToken cancellationToken = default) =>
        DoAsync(
            0,
            async timed =>
            {
                try
                {
                    using var found = await _client.GetObjectAsync(_bucket, _prefix + key, timed);
                    var content = new MemoryStream();
                    await found.ResponseStream.CopyToAsync(content, timed);
                    return content.ToArray();
                }
                catch (AmazonS3Exception error)
                    when (error.StatusCode == HttpStatusCode.NotFound && error.ErrorCode != "NoSuchBucket")
                {
                    return null;
                }
            },
            cancellationToken
        );

    /// <inheritdoc/>
    public Task<IReadOnlyList<StoredObject>> ListAsync(string prefix, CancellationToken cancellationToken = default) =>
        DoAsync<IReadOnlyList<StoredObject>>(
            0,
            async timed =>
            {
                var found = new List<StoredObject>();
                var request = new ListObjectsV2Request
                {
                    BucketName = _bucket,
                    Prefix = _prefix + prefix,
                    MaxKeys = PageSize,
                };
                ListObjectsV2Response page;
                do
                {
                    page = await _client.ListObjectsV2Async(request, timed);
                    found.AddRange(
                        (page.S3Objects ?? []).Select(one => new StoredObject(
                            one.Key[_prefix.Length..],
                            one.Size ?? 0,
                            one.LastModified?.ToUniversalTime() ?? DateTime.UnixEpoch
                        ))
                    );
                    request.ContinuationToken = page.NextContinuationToken;
                } while (page.IsTruncated == true);

                found.Sort((one, other) => string.CompareOrdinal(one.Key, other.Key));
                return found;
            },
            cancellationToken
        );

    /// <inheritdoc/>
    public Task DeleteAsync(string key, CancellationToken cancellationToken = default) =>
        DoAsync(0, timed => _client.DeleteObjectAsync(_bucket, _prefix + key, timed), cancellationToken);

    /// <inheritdoc/>
    public void Dispose() => _client.Dispose();

    private async Task<T> DoAsync<T>(
        long bytes,
        Func<CancellationToken, Task<T>> call,
        CancellationToken cancellationToken
    )
    {
        using var timed = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        timed.CancelAfter(_patience + TimeSpan.FromSeconds(bytes / (1 << 20)));
        try
        {
            return await call(timed.Token);
        }
        catch (AmazonServiceException error)
            when (error.StatusCode is not 0 and < HttpStatusCode.InternalServerError
                && error.StatusCode is not HttpStatusCode.TooManyRequests and not HttpStatusCode.RequestTimeout
            )
        {
            throw Refused(error);
        }
        catch (AmazonServiceException error)
        {
            throw StorageErrors.NoAnswer(
                Location,
                error.StatusCode == 0
                    ? error.GetBaseException().Message
                    : $"HTTP status {(int)error.StatusCode} {error.ErrorCode}"
            );
        }
        catch (AmazonClientException error)
        {
            // the SDK found no credentials, or no region
            throw StorageErrors.Refused(
                Location,
                error.Message,
                "Set StorageKeyId, StorageSecret and StorageRegion of the cluster, or what the AWS SDK reads."
            );
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw StorageErrors.NoAnswer(Location, "It took too long");
        }
        catch (Exception error) when (error is not OperationCanceledException)
        {
            throw StorageErrors.NoAnswer(Location, error.Message); // a connection, or an answer that the SDK cannot read
        }
    }

    private Engine.DtiException Refused(AmazonServiceException error) =>
        error.ErrorCode switch
        {
            "NoSuchBucket" => StorageErrors.Refused(
                Location,
                $"there is no bucket '{_bucket}'",
                "Create it, or correct Storage and StorageEndpoint of the cluster."
            ),
            _ when error.StatusCode is HttpStatusCode.Forbidden or HttpStatusCode.Unauthorized => StorageErrors.Refused(
                Location,
                $"access to the bucket '{_bucket}' is refused ({error.ErrorCode})",
                "Check StorageKeyId and StorageSecret of the cluster, and that they may list, read, write and delete objects."
            ),
            _ => StorageErrors.Refused(
                Location,
                $"{error.Message.TrimEnd('.')} ({error.ErrorCode})",
                "Check Storage, StorageEndpoint and StorageRegion of the cluster."
            ),
        };
}
