using System.Diagnostics;
using TorchSharp;

namespace Dti.Engine.Runtime;

/// <summary>The parts of a step.</summary>
public enum StepPart
{
    /// <summary>What is in no other part: schedulers, batches, the managed side.</summary>
    Host,

    /// <summary>The text encoders.</summary>
    TextEncoder,

    /// <summary>The UNet on the way down.</summary>
    UNetDown,

    /// <summary>Its middle.</summary>
    UNetMid,

    /// <summary>The UNet on the way up.</summary>
    UNetUp,

    /// <summary>The autoencoder.</summary>
    Vae,

    /// <summary>Gradients, of all parts.</summary>
    WayBack,

    /// <summary>The step of the embeddings.</summary>
    Optimizer,
}

/// <summary>What is done in a part.</summary>
public enum StepWork
{
    /// <summary>
    /// Activations, additions, copies, calls. In the backward pass also attention and norms, which are libtorch's
    /// there.
    /// </summary>
    Rest,

    /// <summary>Convolutions of more than a pixel.</summary>
    Convolution,

    /// <summary>Linear layers, and convolutions of a pixel.</summary>
    Linear,

    /// <summary>Attention without its projections.</summary>
    Attention,

    /// <summary>Group and layer norms.</summary>
    Norm,
}

/// <summary>
/// Where the time of steps goes, as the thread that made it runs them. Modules and layers say what they are in; each
/// moment counts once. Without a profile that costs a look at a field.
/// </summary>
public sealed class StepProfile : IDisposable
{
    [ThreadStatic]
    private static StepProfile? _current;

    private readonly Dictionary<(StepPart, StepWork), TimeSpan> _times = [];
    private readonly Stack<(StepPart Part, StepWork Work)> _open = new([(StepPart.Host, StepWork.Rest)]);
    private readonly bool _waitingTimes;
    private long _since = Stopwatch.GetTimestamp();

    /// <summary>
    /// Starts to measure. On a GPU, where calls return before they are done, each section waits for it: the sum is more
    /// than a step takes.
    /// </summary>
    /// <param name="device">Where the model computes.</param>
    public StepProfile(torch.Device device)
    {
        ArgumentNullException.ThrowIfNull(device);
        _waitingTimes = device.type == DeviceType.CUDA;
        _current = this;
    }

    /// <summary>Time so far, each moment in one place.</summary>
    public IReadOnlyDictionary<(StepPart Part, StepWork Work), TimeSpan> Times
    {
        get
        {
            Mark();
            return _times;
        }
    }

    /// <summary>Ends.</summary>
    public void Dispose() => _current = null;

    /// <summary>From here to the end of the scope, in that part.</summary>
    internal static Section In(StepPart part) => _current?.Open((part, StepWork.Rest)) ?? default;

    /// <summary>From here to the end of the scope, that work, in the part that it is called from.</summary>
    internal static Section Of(StepWork work) =>
        _current is { } profile ? profile.Open((profile._open.Peek().Part, work)) : default;

    private Section Open((StepPart, StepWork) section)
    {
        Mark();
        _open.Push(section);
        return new Section(this);
    }

    private void Close()
    {
        Mark();
        _open.Pop();
    }

    private void Mark()
    {
        if (_waitingTimes)
        {
            torch.cuda.synchronize();
        }

        var now = Stopwatch.GetTimestamp();
        _times[_open.Peek()] = _times.GetValueOrDefault(_open.Peek()) + Stopwatch.GetElapsedTime(_since, now);
        _since = now;
    }

    /// <summary>Ends with its scope.</summary>
    internal readonly struct Section(StepProfile? profile) : IDisposable
    {
        public void Dispose() => profile?.Close();
    }
}
