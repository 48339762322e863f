using System.Runtime.InteropServices;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Files;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// The autoencoder's view of each crop, computed once: while the autoencoder and the photos stay the same, so does the
/// distribution of the latents. Only its sample differs from step to step. What is too much for memory goes to a
/// temporary file.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="photos">The photos.</param>
/// <param name="memoryBytes">Kept in memory, at most.</param>
/// <param name="diskBytes">Kept on disk, at most; what comes after is computed each time.</param>
internal sealed class LatentCache(
    IDiffusionModel model,
    TrainingSet photos,
    long memoryBytes = 256L << 20,
    long diskBytes = 2L << 30
) : IDisposable
{
    private readonly Dictionary<PhotoCrop, LatentDistribution> _inMemory = [];
    private readonly Dictionary<PhotoCrop, (long Offset, long[] Shape, int Parts)> _onDisk = [];
    private FileStream? _file;
    private long _inMemoryBytes;
    private bool _diskFull;

    /// <summary>How often the autoencoder ran.</summary>
    public int Misses { get; private set; }

    /// <summary>Crops in the temporary file.</summary>
    public int OnDisk => _onDisk.Count;

    /// <summary>
    /// The distribution of a crop's latents, (1, C, h, w) fp32. Its tensors belong to the cache or to the scope that is
    /// open here: use them within it.
    /// </summary>
    public LatentDistribution Get(PhotoCrop crop)
    {
        if (_inMemory.TryGetValue(crop, out var known))
        {
            return known;
        }

        if (_onDisk.TryGetValue(crop, out var place))
        {
            return Read(place.Offset, place.Shape, place.Parts);
        }

        Misses++;
        var latent = Encode(crop);
        var bytes = Parts(latent).Sum(part => part.numel()) * sizeof(float);
        if (_inMemoryBytes + bytes <= memoryBytes)
        {
            _inMemoryBytes += bytes;
            _inMemory.Add(
                crop,
                new LatentDistribution(latent.Mean.DetachFromDisposeScope(), latent.LogVar?.DetachFromDisposeScope())
            );
        }
        else if (!_diskFull)
        {
            Write(crop, latent);
        }

        return latent;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var latent in _inMemory.Values)
        {
            latent.Mean.Dispose();
            latent.LogVar?.Dispose();
        }

        _inMemory.Clear();
        _onDisk.Clear();
        _file?.Dispose();
    }

    private LatentDistribution Encode(PhotoCrop crop)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var (mean, logVar) = model.Encode(photos.Pixels(crop).unsqueeze(0));
        return new LatentDistribution(mean.MoveToOuterDisposeScope(), logVar?.MoveToOuterDisposeScope());
    }

    private static IEnumerable<Tensor> Parts(LatentDistribution latent) =>
        new[] { latent.Mean, latent.LogVar }.OfType<Tensor>();

    // A disk without room costs time, not the training.
    private void Write(PhotoCrop crop, LatentDistribution latent)
    {
        try
        {
            _file ??= PrivateFolder.OpenPassing("dti-latents-");
            var offset = _file.Seek(0, SeekOrigin.End);
            _diskFull = offset + (Parts(latent).Sum(part => part.numel()) * sizeof(float)) > diskBytes;
            if (_diskFull)
            {
                return;
            }

            foreach (var part in Parts(latent))
            {
                _file.Write(MemoryMarshal.AsBytes<float>(part.cpu().data<float>().ToArray()));
            }

            _file.Flush();
            _onDisk.Add(crop, (offset, latent.Mean.shape, Parts(latent).Count()));
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            _diskFull = true;
        }
    }

    private LatentDistribution Read(long offset, long[] shape, int parts)
    {
        var size = (int)shape.Aggregate(1L, (product, side) => product * side);
        var values = new float[parts * size];
        _file!.Seek(offset, SeekOrigin.Begin);
        _file.ReadExactly(MemoryMarshal.AsBytes(values.AsSpan()));
        Tensor Part(int part) => tensor(values.AsSpan(part * size, size).ToArray(), shape).to(model.Target.Device);
        return new LatentDistribution(Part(0), parts > 1 ? Part(1) : null);
    }
}
