using static TorchSharp.torch;

namespace Dti.Engine.Generation;

/// <summary>
/// One image's share of the noise that diffusers' pipeline generates on the CPU for all images of a call: one
/// generator, first for the initial latents, then for each step that adds noise. So an image is the same whether it is
/// generated alone or in a batch.
/// </summary>
/// <param name="seed">Of the generator.</param>
/// <param name="shape">(N, C, h, w), of all images.</param>
/// <param name="index">Which of the N.</param>
internal sealed class PictureNoise(ulong seed, long[] shape, int index) : IDisposable
{
    private readonly Generator _generator = new(seed, CPU);

    /// <summary>The next noise, (1, C, h, w) fp32.</summary>
    public Tensor Next()
    {
        using var all = randn(shape, ScalarType.Float32, CPU, generator: _generator);
        return all.narrow(0, index, 1).clone();
    }

    public void Dispose() => _generator.Dispose();
}
