using Dti.Engine;
using Dti.Engine.Checkpoints;

namespace Dti.Tests;

/// <summary>What became of a file.</summary>
/// <param name="Accepted">It was read, every tensor of it; else it was refused with a reason.</param>
/// <param name="AllocatedBytes">Managed memory that this took; tensors are at most twice the file's bytes (float8 is
/// widened).</param>
internal readonly record struct SafetensorsOutcome(bool Accepted, long AllocatedBytes);

/// <summary>Puts files through the safetensors reader, as files.</summary>
internal sealed class SafetensorsFuzz : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-fuzz-");

    public SafetensorsFuzz()
    {
        foreach (var seed in SafetensorsMutator.Seeds)
        {
            Read(seed); // what is made once, on first use, is not the file's
        }
    }

    /// <summary>Most managed memory that reading a file may take.</summary>
    public static long AllocationBound(long fileLength) => (64 << 10) + (32 * fileLength);

    /// <summary>Reads a file whole, or sees it refused. Any error but a refusal comes through.</summary>
    public SafetensorsOutcome Read(byte[] content)
    {
        var path = Path.Combine(_folder.FullName, "x.safetensors");
        File.WriteAllBytes(path, content);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var accepted = true;
        try
        {
            using var file = SafetensorsFile.Open(path);
            foreach (var name in file.Tensors.Keys)
            {
                using var tensor = file.Read(name);
            }
        }
        catch (DtiException)
        {
            accepted = false;
        }

        return new SafetensorsOutcome(accepted, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
