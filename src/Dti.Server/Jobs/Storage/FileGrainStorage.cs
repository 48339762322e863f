using System.Buffers.Binary;
using System.Globalization;
using Dti.Engine;
using Dti.Engine.Runtime.Files;
using Orleans.Serialization;
using Orleans.Storage;

namespace Dti.Server.Jobs.Storage;

/// <summary>
/// Grain state in files, for the server of one machine: the state of job X in <c>X/job.state</c>, whole or not at all,
/// with a version that refuses a writer whose state is not the newest. Many machines name Redis or PostgreSQL's storage
/// instead.
/// </summary>
internal sealed class FileGrainStorage(JobFolder folder, Serializer serializer) : IGrainStorage
{
    private const int VersionBytes = sizeof(long);

    public Task ReadStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var path = PathOf(stateName, grainId);
        if (File.Exists(path))
        {
            try
            {
                var bytes = File.ReadAllBytes(path);
                grainState.State = serializer.Deserialize<T>(bytes.AsMemory(VersionBytes));
                grainState.ETag = Version(bytes).ToString(CultureInfo.InvariantCulture);
                grainState.RecordExists = true;
            }
            catch (Exception error)
            {
                throw new StateUnreadableException($"{path} cannot be read: {error.Message}", error);
            }
        }

        return Task.CompletedTask;
    }

    public Task WriteStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        if (!Directory.Exists(folder.Root))
        {
            throw new StateUnwrittenException(
                new DtiException(ErrorKind.FailedPrecondition, folder.Problem() ?? "The folder of jobs is gone.")
            );
        }

        var path = PathOf(stateName, grainId);
        var stored = Stored(path);
        EnsureNewest(path, stored, grainState.ETag);
        var payload = serializer.SerializeToArray(grainState.State);
        var header = new byte[VersionBytes];
        BinaryPrimitives.WriteInt64LittleEndian(header, stored + 1);
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            AtomicFile.Write(
                path,
                stream =>
                {
                    stream.Write(header);
                    stream.Write(payload);
                },
                files: folder.Files
            );
        }
        catch (Exception error) when (error is DtiException or IOException or UnauthorizedAccessException)
        {
            throw new StateUnwrittenException(error as DtiException ?? AtomicFile.Explain(path, error));
        }

        grainState.ETag = (stored + 1).ToString(CultureInfo.InvariantCulture);
        grainState.RecordExists = true;
        return Task.CompletedTask;
    }

    public Task ClearStateAsync<T>(string stateName, GrainId grainId, IGrainState<T> grainState)
    {
        var path = PathOf(stateName, grainId);
        EnsureNewest(path, Stored(path), grainState.ETag);
        if (File.Exists(path))
        {
            File.Delete(path); // without its folder that fails
        }

        (grainState.ETag, grainState.RecordExists, grainState.State) = (null, false, Activator.CreateInstance<T>());
        return Task.CompletedTask;
    }

    private static long Version(ReadOnlySpan<byte> bytes) => BinaryPrimitives.ReadInt64LittleEndian(bytes);

    private static long Stored(string path)
    {
        if (!File.Exists(path))
        {
            return 0;
        }

        using var file = File.OpenRead(path);
        var header = new byte[VersionBytes];
        file.ReadExactly(header);
        return Version(header);
    }

    private static void EnsureNewest(string path, long stored, string? etag)
    {
        var known = etag is null ? 0 : long.Parse(etag, CultureInfo.InvariantCulture);
        if (known != stored)
        {
            throw new InconsistentStateException(
                $"{path} has version {stored}, and version {known} was to be replaced."
            );
        }
    }

    private string PathOf(string stateName, GrainId grainId) =>
        Path.Combine(folder.Of(grainId.Key.ToString()!), stateName + ".state");
}
