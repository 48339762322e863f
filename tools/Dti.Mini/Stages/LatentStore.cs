using System.Globalization;
using System.IO.MemoryMappedFiles;
using Dti.Engine.Models;
using Dti.Mini.Sheets;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Stages;

/// <summary>The latents (means, scaled) of all pictures, in one bf16 tensor that a file keeps.</summary>
internal sealed class LatentStore
{
    private const int Side = 16;
    private readonly Tensor _latents; // (N, C, 16, 16)

    private LatentStore(Tensor latents) => _latents = latents;

    /// <summary>Reads the latents of a folder, after encoding those that are missing.</summary>
    /// <param name="folder">Of pictures and latents.</param>
    /// <param name="seed">Of the scenes.</param>
    /// <param name="count">How many.</param>
    /// <param name="vae">The trained autoencoder.</param>
    /// <param name="threads">To encode with.</param>
    public static LatentStore Open(string folder, ulong seed, int count, AutoencoderKL vae, int threads)
    {
        using var pictures = PictureStore.Open(folder, seed, count);
        return Open(folder, seed.ToString(CultureInfo.InvariantCulture), count, pictures.Read, vae, threads);
    }

    /// <summary>Reads the latents of scenes, after rendering and encoding those that are missing.</summary>
    /// <param name="folder">Of the latents.</param>
    /// <param name="name">Of their file.</param>
    /// <param name="count">How many.</param>
    /// <param name="scene">The scene of an index; always the same one.</param>
    /// <param name="vae">The trained autoencoder.</param>
    /// <param name="threads">To encode with.</param>
    public static LatentStore Open(
        string folder,
        string name,
        int count,
        Func<int, Scene> scene,
        AutoencoderKL vae,
        int threads
    ) =>
        Open(
            folder,
            name,
            count,
            indices => QualityStage.Stack([.. indices.Select(index => ContactSheet.Draw(scene(index)))]),
            vae,
            threads
        );

    private static LatentStore Open(
        string folder,
        string name,
        int count,
        Func<IReadOnlyList<int>, Tensor> pictures,
        AutoencoderKL vae,
        int threads
    )
    {
        const int chunk = 64;
        long[] shape = [vae.Config.LatentChannels, Side, Side];
        var bytes = shape.Aggregate(2L, (a, b) => a * b);
        var path = Path.Combine(Directory.CreateDirectory(folder).FullName, $"latents-{name}.bin");
        using (var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite))
        {
            for (var first = (int)(file.Length / bytes); first < count; first += chunk * threads)
            {
                var parts = new byte[threads][];
                Parallel.For(0, threads, thread =>
                {
                    set_num_threads(1);
                    using var scope = NewDisposeScope();
                    using var frozen = no_grad();
                    var from = first + (thread * chunk);
                    var length = Math.Clamp(count - from, 0, chunk);
                    parts[thread] =
                        length == 0
                            ? []
                            : (
                                vae.Encode(pictures([.. Enumerable.Range(from, length)])).Mean
                                * vae.Config.ScalingFactor
                            )
                                .to(ScalarType.BFloat16)
                                .contiguous()
                                .bytes.ToArray();
                });
                file.Position = first * bytes;
                foreach (var part in parts)
                {
                    file.Write(part);
                }

                Console.Write($"\rencoded {Math.Min(count, first + (chunk * threads)):N0} of {count:N0}");
            }
        }

        var latents = empty([count, .. shape], ScalarType.BFloat16);
        using var map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.Read);
        using var view = map.CreateViewStream(0, count * bytes, MemoryMappedFileAccess.Read);
        view.ReadExactly(latents.bytes);
        return new LatentStore(latents.DetachFromDisposeScope());
    }

    /// <summary>(B, C, 16, 16) bf16.</summary>
    public Tensor Read(IReadOnlyList<int> indices) =>
        _latents.index_select(0, tensor(indices.Select(i => (long)i).ToArray()));
}
