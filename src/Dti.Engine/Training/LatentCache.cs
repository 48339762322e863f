using Dti.Engine.Models;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// The autoencoder's view of each crop, computed once: while the autoencoder and the photos stay the same, so does the
/// distribution of the latents. Only its sample differs from step to step.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="photos">The photos.</param>
/// <param name="capacity">Crops kept; beyond that the oldest goes.</param>
internal sealed class LatentCache(StableDiffusionModel model, TrainingSet photos, int capacity = 4096) : IDisposable
{
    private readonly Dictionary<PhotoCrop, DiagonalGaussian> _latents = [];
    private readonly Queue<PhotoCrop> _order = [];

    /// <summary>How often the autoencoder ran.</summary>
    public int Misses { get; private set; }

    /// <summary>The distribution of a crop's latents, (1, C, h, w) fp32, owned by the cache.</summary>
    public DiagonalGaussian Get(PhotoCrop crop)
    {
        if (_latents.TryGetValue(crop, out var known))
        {
            return known;
        }

        if (_order.Count == capacity)
        {
            _latents.Remove(_order.Dequeue(), out var oldest);
            Release(oldest!);
        }

        Misses++;
        var latent = Encode(crop);
        _latents.Add(crop, latent);
        _order.Enqueue(crop);
        return latent;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var latent in _latents.Values)
        {
            Release(latent);
        }

        _latents.Clear();
        _order.Clear();
    }

    private DiagonalGaussian Encode(PhotoCrop crop)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var pixels = photos.Pixels(crop).unsqueeze(0).to(model.VaeDtype, model.Target.Device);
        var (mean, logVar) = model.Vae.Encode(pixels);
        return new DiagonalGaussian(mean.to(ScalarType.Float32).DetachFromDisposeScope(), logVar.to(ScalarType.Float32).DetachFromDisposeScope());
    }

    private static void Release(DiagonalGaussian latent)
    {
        latent.Mean.Dispose();
        latent.LogVar.Dispose();
    }
}
