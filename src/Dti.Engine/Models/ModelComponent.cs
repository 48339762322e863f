using Dti.Engine.Checkpoints;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>The components of a model that take turns.</summary>
[Flags]
public enum ModelParts
{
    /// <summary>The text encoders.</summary>
    TextEncoders = 1,

    /// <summary>The denoiser.</summary>
    Denoiser = 2,

    /// <summary>The autoencoder.</summary>
    Autoencoder = 4,
}

/// <summary>A component, which can leave the device while it is not used.</summary>
internal abstract class ModelComponent : IDisposable
{
    /// <summary>
    /// Frees what it holds on the device, if its weights wait on the host; the next use brings them back.
    /// </summary>
    public abstract void Release();

    /// <summary>Frees what only training needs, until the next training.</summary>
    public abstract void ReleaseTransposed();

    /// <inheritdoc/>
    public abstract void Dispose();
}

/// <summary>A component of some class. Owns its weights.</summary>
internal sealed class ModelComponent<T> : ModelComponent
    where T : class
{
    private readonly CheckpointWeightSource _weights;
    private readonly Func<WeightScope, T> _build;
    private readonly bool _keepTransposed;
    private readonly ComputeTarget _target;
    private readonly bool _packs;
    private readonly bool _offloaded;
    private CopiedWeights? _copy;
    private WeightPacking? _packing;
    private T? _module;

    /// <summary>
    /// Reads the weights, onto the device; if idle components are to leave it onto the host, and to the device when
    /// they are used.
    /// </summary>
    /// <remarks>
    /// On a CPU whose kernels have a layout of their own, weights are packed (<see cref="WeightPacking"/>).
    /// </remarks>
    /// <exception cref="DtiException">A tensor is missing, extra or of a wrong shape.</exception>
    public ModelComponent(
        ComponentWeights weights,
        ComputeTarget target,
        MemoryPolicy memory,
        Func<WeightScope, T> build
    )
    {
        (_target, _offloaded, _keepTransposed, _build) = (
            target,
            memory.OffloadIdle,
            memory.KeepTransposed && !target.HoldsNarrower,
            build
        );
        _packs = memory.PacksWeights is { } asked
            ? asked && target.CanPackWeights
            : target.PacksWeights(weights.TotalElements);
        _weights = new CheckpointWeightSource(
            weights,
            target.Dtype,
            _offloaded ? CPU : target.Device,
            _packs ? target.HeldDtype : null
        );
        try
        {
            _module = Build(_weights);
            _weights.ReadAll();
            if (!_offloaded)
            {
                _packing?.PackAll();
            }
        }
        catch
        {
            Dispose();
            throw;
        }

        _module = _offloaded ? null : _module;
    }

    /// <summary>The component, on the device.</summary>
    public T Module
    {
        get
        {
            if (_module is null)
            {
                Release(); // what is left of an attempt that did not fit
                _copy = new CopiedWeights(_weights.Taken, _target.Device);
                _module = Build(_copy);
                _packing?.PackAll();
            }

            return _module;
        }
    }

    /// <inheritdoc/>
    public override void Release()
    {
        if (_offloaded)
        {
            _packing?.Dispose();
            _copy?.Dispose();
            (_packing, _copy, _module) = (null, null, null);
        }
    }

    /// <inheritdoc/>
    public override void ReleaseTransposed() => _packing?.ReleaseTransposed();

    /// <inheritdoc/>
    public override void Dispose()
    {
        _copy?.Dispose();
        _packing?.Dispose();
        _weights.Dispose();
    }

    /// <summary>The module on weights that may still be read; they are packed afterwards.</summary>
    private T Build(IWeightSource weights)
    {
        _packing = _packs ? new WeightPacking(_keepTransposed, _target.Dtype) : null;
        return _build(new WeightScope(_packing is null ? weights : new PackingWeightSource(weights, _packing)));
    }
}
