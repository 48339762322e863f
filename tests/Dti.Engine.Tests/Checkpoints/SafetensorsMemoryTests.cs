using Dti.Engine.Checkpoints;
using Dti.Engine.Tests.Runtime;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Checkpoints;

[Collection(nameof(WholeProcess))]
public sealed class SafetensorsMemoryTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-safetensors-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Read_LargeFile_TakesItsSizeAndLittleMore()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "reads /proc");
        const long elements = 64L << 20; // 256 MiB
        var path = Path.Combine(_folder.FullName, "large.safetensors");
        using (var written = zeros([elements], ScalarType.Float32))
        {
            SafetensorsWriter.Write(path, new Dictionary<string, Tensor> { ["w"] = written });
        }

        GC.Collect();
        File.WriteAllText("/proc/self/clear_refs", "5"); // the peak starts again from here
        var before = PeakBytes();
        using var file = SafetensorsFile.Open(path);
        using (var half = empty([elements], ScalarType.BFloat16)) // the costly way: with conversion
        {
            file.ReadInto("w", half);
        }

        using (var whole = file.Read("w"))
        {
            Assert.InRange(PeakBytes() - before, 0, (elements * 4) + (64 << 20));
        }
    }

    private static long PeakBytes()
    {
        var line = File.ReadLines("/proc/self/status")
            .Single(line => line.StartsWith("VmHWM:", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], null) * 1024;
    }
}
