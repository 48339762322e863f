using System.Diagnostics;
using System.Runtime.InteropServices;
using TorchSharp;

namespace Dti.Engine.Runtime.Devices;

/// <summary>A file that could have been the native library.</summary>
/// <param name="Path">Where.</param>
/// <param name="Taken">Whether it is the one that computes.</param>
/// <param name="Why">Why it was taken, or was not.</param>
public sealed record NativeCandidate(string Path, bool Taken, string Why);

/// <summary>Which of TorchSharp's native library there is, and which one computes.</summary>
/// <param name="TorchVersion">libtorch's version; null: none could be loaded.</param>
/// <param name="Problem">Why none could be loaded; null: one was.</param>
/// <param name="Cuda">Why CUDA is used or is not.</param>
/// <param name="Candidates">Where the runtime looks, in its order.</param>
public sealed record NativeLibraries(
    string? TorchVersion,
    string? Problem,
    string Cuda,
    IReadOnlyList<NativeCandidate> Candidates
)
{
    private static readonly string _file =
        OperatingSystem.IsWindows() ? "LibTorchSharp.dll"
        : OperatingSystem.IsMacOS() ? "libLibTorchSharp.dylib"
        : "libLibTorchSharp.so";

    /// <summary>Loads the library, unless it is loaded, and tells which it is.</summary>
    public static NativeLibraries Look()
    {
        var (version, problem) = Load();
        using var process = Process.GetCurrentProcess();
        var loaded = process
            .Modules.Cast<ProcessModule>()
            .FirstOrDefault(module => module.ModuleName.Equals(_file, StringComparison.OrdinalIgnoreCase))
            ?.FileName;
        List<NativeCandidate> candidates = [.. Folders().Select(folder => Judge(Path.Combine(folder, _file), loaded))];
        if (loaded is not null && !candidates.Any(candidate => candidate.Taken))
        {
            candidates.Add(new NativeCandidate(loaded, true, "loaded from a place that the system's loader knows"));
        }

        return new NativeLibraries(
            version,
            problem,
            problem is null ? WhyCuda(loaded) : "unknown: no library could be loaded",
            candidates
        );
    }

    private static (string? Version, string? Problem) Load()
    {
        try
        {
            using var one = torch.ones(1);
            return (torch.__version__, null);
        }
        catch (Exception error)
            when (error
                    is DllNotFoundException
                        or TypeInitializationException
                        or NotSupportedException
                        or BadImageFormatException
                        or EntryPointNotFoundException
            )
        {
            return (null, (error.InnerException ?? error).Message.Split('\n')[0]);
        }
    }

    /// <summary>The runtime's own list, the program's folder, and what the environment adds.</summary>
    private static IEnumerable<string> Folders()
    {
        var listed = (AppContext.GetData("NATIVE_DLL_SEARCH_DIRECTORIES") as string ?? "").Split(Path.PathSeparator);
        var added = (
            Environment.GetEnvironmentVariable(OperatingSystem.IsWindows() ? "PATH" : "LD_LIBRARY_PATH") ?? ""
        ).Split(Path.PathSeparator);
        return listed
            .Append(AppContext.BaseDirectory)
            .Append(Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native"))
            .Concat(added.Where(folder => File.Exists(Path.Combine(folder, _file))))
            .Where(folder => folder.Length > 0)
            .Select(folder => Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)))
            .Distinct(StringComparer.Ordinal);
    }

    private static NativeCandidate Judge(string path, string? loaded)
    {
        if (!File.Exists(path))
        {
            return new NativeCandidate(path, false, "there is none");
        }

        if (loaded is not null)
        {
            return Path.GetFullPath(loaded) == path
                ? new NativeCandidate(path, true, "the first that was found")
                : new NativeCandidate(path, false, "another was found before it");
        }

        try
        {
            NativeLibrary.Free(NativeLibrary.Load(path));
            return new NativeCandidate(path, false, "loads by itself, but what it needs does not");
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            return new NativeCandidate(path, false, error.Message.Split('\n')[^1].Trim());
        }
    }

    private static string WhyCuda(string? loaded)
    {
        if (torch.cuda.is_available())
        {
            return $"{torch.cuda.device_count()} CUDA devices";
        }

        var (library, driver) = OperatingSystem.IsWindows()
            ? ("torch_cuda.dll", "nvcuda.dll")
            : ("libtorch_cuda.so", "libcuda.so.1");
        return loaded is null || !File.Exists(Path.Combine(Path.GetDirectoryName(loaded)!, library))
                ? "no CUDA: this build is for the CPU (dotnet build -p:Torch=cuda makes the other)"
            : !NativeLibrary.TryLoad(driver, out _) ? $"no CUDA: there is no NVIDIA driver ({driver})"
            : "no CUDA: the driver finds no device, or is too old for this libtorch";
    }
}
