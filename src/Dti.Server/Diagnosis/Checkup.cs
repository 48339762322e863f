using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Dti.Engine;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Devices;
using Dti.Server.Configuration;
using Dti.Server.Jobs.Clustering;
using Dti.Server.Libraries;
using Dti.Server.ObjectStorage;
using Microsoft.Extensions.Logging.Abstractions;

namespace Dti.Server.Diagnosis;

/// <summary>
/// Looks at everything that a server with some options needs, without starting it. Nothing is left behind but folders
/// that it would make too.
/// </summary>
public static class Checkup
{
    /// <summary>Looks.</summary>
    /// <param name="options">The options, which may be wrong.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>What was found, as it is found.</returns>
    public static async IAsyncEnumerable<Finding> RunAsync(
        DtiServerOptions options,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        var native = NativeLibraries.Look();
        foreach (var finding in Native(native))
        {
            yield return finding;
        }

        var target = native.Problem is null
            ? Try(() => ComputeTarget.Resolve(options.Device, options.Dtype))
            : (null, native.Problem);
        yield return target.Value is null
            ? new("device", FindingState.Broken, target.Problem, "Name a device that is here, or none.")
            : await DeviceAsync(target.Value, cancellationToken);
        foreach (
            var finding in Folders(options)
                .Append(Disk(options))
                .Concat(Ports(options))
                .Concat(AccessFindings.Of(options, TimeProvider.System.GetUtcNow()))
                .Append(Clock())
        )
        {
            yield return finding;
        }

        foreach (var finding in Models(options, target.Value))
        {
            yield return finding;
        }

        if (options.Cluster.Connection is { } connection)
        {
            yield return await ClusterDatabase.ReadinessProblemAsync(connection, cancellationToken) is { } problem
                ? new("cluster", FindingState.Broken, problem, "See docs/cluster.md.")
                : new(
                    "cluster",
                    FindingState.Good,
                    $"the database of cluster '{options.Cluster.Id}' answers and is ready"
                );
            if (options.Cluster.HasStorage)
            {
                yield return await StorageAsync(options.Cluster, cancellationToken);
            }
        }
    }

    private static async Task<Finding> StorageAsync(ClusterOptions cluster, CancellationToken cancellationToken)
    {
        if (ObjectStores.Problems(cluster).FirstOrDefault() is { Problem: { } wrong })
        {
            return new("storage", FindingState.Broken, wrong, "See docs/cluster.md.");
        }

        var store = ObjectStores.Open(cluster)!;
        using var closed = store as IDisposable;
        try
        {
            await store.EnsureReadyAsync(cluster.Service, cancellationToken);
            return new("storage", FindingState.Good, $"{store.Location} can be written and read");
        }
        catch (DtiException error)
        {
            return new("storage", FindingState.Broken, error.Message, "See docs/cluster.md.");
        }
    }

    /// <summary>Of the options' ports, the first that cannot be listened on; null: none, or it is in use.</summary>
    public static Finding? ClosedPort(DtiServerOptions options) =>
        Ports(options).FirstOrDefault(port => port.State == FindingState.Broken);

    /// <summary>Whether a port of an address can be listened on now.</summary>
    public static bool IsFree(string address, int port) =>
        IPAddress.TryParse(address, out var ip) && Port("port", new IPEndPoint(ip, port)).State == FindingState.Good;

    private static IEnumerable<Finding> Native(NativeLibraries native)
    {
        var taken = native.Candidates.FirstOrDefault(candidate => candidate.Taken);
        yield return native.Problem is { } problem
            ? new(
                "native library",
                FindingState.Broken,
                problem,
                "Build again; on Linux, see docs/operations.md for the libraries of the system that it needs."
            )
            : new("native library", FindingState.Good, $"libtorch {native.TorchVersion}, {taken?.Path}; {native.Cuda}");
        foreach (var other in native.Candidates.Where(candidate => !candidate.Taken))
        {
            yield return new("not taken", FindingState.Good, $"{other.Path}: {other.Why}");
        }
    }

    private static async Task<Finding> DeviceAsync(ComputeTarget target, CancellationToken cancellationToken)
    {
        using var probe = new DeviceProbe(target, TimeProvider.System, NullLogger<DeviceProbe>.Instance);
        return await probe.ProblemAsync(cancellationToken) is { } problem
            ? new(
                "device",
                FindingState.Broken,
                problem,
                "Look at the driver (nvidia-smi), or use the CPU: DTI_DEVICE=cpu."
            )
            : new(
                "device",
                FindingState.Good,
                $"{target.DeviceName} computes in {Words(target)}, with {Size(DeviceMemory.TotalBytes(target.Device))} of memory"
            );
    }

    private static string Words(ComputeTarget target) =>
        target.HoldsNarrower
            ? $"fp32 and holds large weights in {target.DtypeName}, since this processor has no instructions for {target.DtypeName}"
            : target.DtypeName;

    private static IEnumerable<Finding> Folders(DtiServerOptions options)
    {
        if (!string.IsNullOrWhiteSpace(options.ConceptFolder))
        {
            yield return Writable("concepts", options.ConceptFolder);
        }

        if (options.JobFolder is { } jobs)
        {
            yield return Writable("jobs", jobs);
        }

        if (
            options.Security.TokenFile is { } tokens
            && Path.GetDirectoryName(Path.GetFullPath(tokens)) is { } folder
            && Path.Exists(folder)
            && Writable("tokens", folder) is { State: not FindingState.Good } closed
        )
        {
            yield return closed with
            {
                State = FindingState.Doubtful,
                Text = $"{closed.Text}; tokens cannot be made or revoked",
            }; // the server only reads
        }

        yield return Writable("temporary", Path.GetTempPath());
        foreach (var models in options.ModelFolders)
        {
            yield return Directory.Exists(models) || File.Exists(models)
                ? new("models", FindingState.Good, models)
                : new("models", FindingState.Doubtful, $"{models} is not there.", "Correct --models or DTI_MODELS.");
        }
    }

    private static Finding Writable(string name, string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
            using var draft = new FileStream(
                Path.Combine(folder, $".{Guid.NewGuid():N}.tmp"),
                FileMode.CreateNew,
                FileAccess.Write,
                FileShare.None,
                1,
                FileOptions.DeleteOnClose
            );
            draft.WriteByte(0);
            draft.Flush(flushToDisk: true);
            return new(name, FindingState.Good, $"{folder} can be written");
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            return new(
                name,
                FindingState.Broken,
                $"{folder} cannot be written: {error.Message}",
                $"Give the user '{Environment.UserName}' the right to write there, or name another folder."
            );
        }
    }

    private static Finding Disk(DtiServerOptions options)
    {
        var free = string.IsNullOrWhiteSpace(options.ConceptFolder) ? null : DiskSpace.FreeBytes(options.ConceptFolder);
        return free is null ? new("disk", FindingState.Doubtful, "how much is free cannot be told")
            : free < options.MinFreeDiskBytes
                ? new(
                    "disk",
                    FindingState.Broken,
                    $"{Size(free)} free; below {Size(options.MinFreeDiskBytes)} nothing new is begun",
                    "Free some space, or lower MinFreeDiskBytes."
                )
            : new(
                "disk",
                free < 4 * options.MinFreeDiskBytes ? FindingState.Doubtful : FindingState.Good,
                $"{Size(free)} free"
            );
    }

    private static IEnumerable<Finding> Ports(DtiServerOptions options)
    {
        foreach (
            var (name, address, port) in new (string, string, int?)[]
            {
                ("port", options.Address, options.Port),
                ("web port", options.Address, options.WebPort),
                ("metrics port", options.MetricsAddress, options.MetricsPort),
            }
        )
        {
            if (port is >= 0 and <= 65535 && IPAddress.TryParse(address, out var ip))
            {
                yield return Port(name, new IPEndPoint(ip, port.Value));
            }
        }
    }

    private static Finding Port(string name, IPEndPoint end)
    {
        try
        {
            using var socket = new Socket(end.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            socket.Bind(end);
            return new(name, FindingState.Good, end.Port == 0 ? $"{end.Address} has free ones" : $"{end} is free");
        }
        catch (SocketException error) when (error.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return new(
                name,
                FindingState.Doubtful,
                $"{end} is in use",
                "Well if that is the server that runs; else choose another port."
            );
        }
        catch (SocketException error)
        {
            return new(
                name,
                FindingState.Broken,
                $"{end} cannot be listened on: {error.Message.TrimEnd('.')}",
                "Choose another address or port; ports below 1024 need a right."
            );
        }
    }

    private static Finding Clock()
    {
        var (now, built) = (DateTime.UtcNow, File.GetLastWriteTimeUtc(typeof(Checkup).Assembly.Location));
        var text = string.Create(CultureInfo.InvariantCulture, $"{now:yyyy-MM-dd HH:mm:ss} UTC");
        return now < built - TimeSpan.FromDays(1)
                ? new(
                    "clock",
                    FindingState.Broken,
                    $"{text}, before this program was made",
                    "Set the clock: certificates and tokens end by it."
                )
            : SystemClock.IsSynchronised() is false
                ? new(
                    "clock",
                    FindingState.Doubtful,
                    $"{text}, which no time service keeps",
                    "Have systemd-timesyncd, chrony or the host keep the clock."
                )
            : new("clock", FindingState.Good, text);
    }

    private static IEnumerable<Finding> Models(DtiServerOptions options, ComputeTarget? target)
    {
        var (folders, problem) = Try(() => LibraryFolders.Of(options.ModelFolders));
        if (folders is null)
        {
            yield return new("models", FindingState.Broken, problem, "Correct the file.");
            yield break;
        }

        var library = new ModelLibrary(options, folders, new VaeLibrary(folders));
        var found = library.List();
        foreach (var model in found)
        {
            yield return model.Profile is { } profile
                ? new(
                    "model",
                    FindingState.Good,
                    $"{model.Name} ({profile.Family}, {Held(profile, target)}){(model.Name == library.DefaultName ? ", the default" : "")}"
                )
                : new("model", FindingState.Doubtful, $"{model.Name} cannot be used: {model.Problem}");
        }

        if (!found.Any(model => model.Profile is not null))
        {
            yield return new(
                "models",
                FindingState.Broken,
                "no model can be used",
                "Name one by --models or DTI_MODELS: a diffusers folder, a .safetensors file or ComfyUI's folder."
            );
        }
        else if (options.DefaultModel is { } asked && found.All(model => model.Name != asked))
        {
            yield return new(
                "models",
                FindingState.Broken,
                $"the default model, {asked}, is not among them",
                "Correct DefaultModel."
            );
        }
    }

    private static string Held(ModelProfile profile, ComputeTarget? target) =>
        target is null ? Size(profile.SizeBytes) : $"{Size(profile.HeldBytes(target))} in {target.DtypeName}";

    private static (T? Value, string Problem) Try<T>(Func<T> look)
        where T : class
    {
        try
        {
            return (look(), "");
        }
        catch (DtiException error)
        {
            return (null, error.Message);
        }
    }

    private static string Size(long? bytes) => bytes is { } known ? MemoryBudget.GiB(known) : "an unknown size";
}
