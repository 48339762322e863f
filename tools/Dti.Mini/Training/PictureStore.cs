using System.IO.MemoryMappedFiles;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Training;

/// <summary>
/// Rendered scenes in a file that all stages map into memory: scene i is <c>Scene.Sample(seed, i)</c>.
/// </summary>
internal sealed class PictureStore : IDisposable
{
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;

    private PictureStore(string path, int count)
    {
        Count = count;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        _view = _file.CreateViewAccessor(0, (long)count * SceneRenderer.Bytes, MemoryMappedFileAccess.Read);
    }

    public int Count { get; }

    /// <summary>Opens the pictures, after rendering those that are missing.</summary>
    /// <param name="folder">Of the file.</param>
    /// <param name="seed">Of the scenes.</param>
    /// <param name="count">How many; more may be there.</param>
    public static PictureStore Open(string folder, ulong seed, int count)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"pictures-{seed}.bin");
        using (var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            const int chunk = 1024;
            var have = (int)(file.Length / SceneRenderer.Bytes);
            var pixels = new byte[chunk * SceneRenderer.Bytes];
            for (var first = have; first < count; first += chunk)
            {
                var length = Math.Min(chunk, count - first);
                Parallel.For(0, length, i =>
                    SceneRenderer.Render(
                        Scene.Sample(seed, first + i),
                        pixels.AsSpan(i * SceneRenderer.Bytes, SceneRenderer.Bytes)
                    )
                );
                file.Position = (long)first * SceneRenderer.Bytes;
                file.Write(pixels, 0, length * SceneRenderer.Bytes);
                Console.Write($"\rrendered {first + length:N0} of {count:N0}");
            }

            if (have < count)
            {
                Console.WriteLine();
            }
        }

        return new PictureStore(path, count);
    }

    /// <summary>
    /// Pictures as (B, 3, 128, 128) bf16 in [−1, 1]. Contiguous: group norm runs 25 times slower backwards over
    /// channels that come last.
    /// </summary>
    public Tensor Read(IReadOnlyList<int> indices)
    {
        using var scope = NewDisposeScope();
        var bytes = empty([indices.Count, SceneRenderer.Side, SceneRenderer.Side, 3], ScalarType.Byte);
        unsafe
        {
            byte* source = null;
            _view.SafeMemoryMappedViewHandle.AcquirePointer(ref source);
            var target = bytes.bytes;
            for (var i = 0; i < indices.Count; i++)
            {
                new ReadOnlySpan<byte>(source + ((long)indices[i] * SceneRenderer.Bytes), SceneRenderer.Bytes).CopyTo(
                    target[(i * SceneRenderer.Bytes)..]
                );
            }

            _view.SafeMemoryMappedViewHandle.ReleasePointer();
        }

        return (bytes.to(ScalarType.Float32).div_(127.5).sub_(1))
            .to(Precision.Compute)
            .permute(0, 3, 1, 2)
            .contiguous()
            .MoveToOuterDisposeScope();
    }

    public void Dispose()
    {
        _view.Dispose();
        _file.Dispose();
    }
}
