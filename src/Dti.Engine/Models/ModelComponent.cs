using Dti.Engine.Checkpoints;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>The components of a model that take turns.</summary>
[Flags]
internal enum ModelParts
{
    /// <summary>The text encoders.</summary>
    TextEncoders = 1,

    /// <summary>The denoiser.</summary>
    UNet = 2,

    /// <summary>The autoencoder.</summary>
    Vae = 4,
}

/// <summary>A component, which can leave the device while it is not used.</summary>
internal abstract class ModelComponent : IDisposable
{
    /// <summary>Frees what it holds on the device, if its weights wait on the host; the next use brings them back.</summary>
    public abstract void Release();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A component of some class. Owns its weights.</summary>
internal sealed class ModelComponent<T> : ModelComponent
    where T : class
{
    private readonly CheckpointWeightSource _weights;
    private readonly Func<WeightScope, T> _build;
    private readonly Device _device;
    private readonly bool _offloaded;
    private CopiedWeights? _copy;
    private T? _module;

    /// <summary>Reads the weights, onto the device; with <paramref name="offload"/> onto the host, and to the device when they are used.</summary>
    /// <exception cref="DtiException">A tensor is missing, extra or of a wrong shape.</exception>
    public ModelComponent(ComponentWeights weights, ScalarType dtype, Device device, bool offload, Func<WeightScope, T> build)
    {
        (_device, _offloaded, _build) = (device, offload, build);
        _weights = new CheckpointWeightSource(weights, dtype, offload ? CPU : device);
        try
        {
            _module = build(new WeightScope(_weights));
            _weights.ReadAll();
        }
        catch
        {
            Dispose();
            throw;
        }

        _module = offload ? null : _module;
    }

    /// <summary>The component, on the device.</summary>
    public T Module
    {
        get
        {
            if (_module is null)
            {
                Release(); // what is left of an attempt that did not fit
                _copy = new CopiedWeights(_weights.Taken, _device);
                _module = _build(new WeightScope(_copy));
            }

            return _module;
        }
    }

    /// <inheritdoc/>
    public override void Release()
    {
        if (_offloaded)
        {
            _copy?.Dispose();
            (_copy, _module) = (null, null);
        }
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        _copy?.Dispose();
        _weights.Dispose();
    }
}
