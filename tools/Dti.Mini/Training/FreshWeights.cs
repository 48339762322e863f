using Dti.Engine.Checkpoints;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Mini.Training;

/// <summary>How a weight starts.</summary>
internal enum Start
{
    /// <summary>0.</summary>
    Zero,

    /// <summary>1.</summary>
    One,

    /// <summary>Uniform in ±1/√(fan-in), as PyTorch's layers start.</summary>
    FanIn,

    /// <summary>Normal with standard deviation 0.02, as CLIP's embeddings start.</summary>
    Embedding,

    /// <summary>ln(1/0.07)/10, CLIP's first factor of similarities.</summary>
    LogitScale,
}

/// <summary>A weight's place in a flat buffer.</summary>
internal sealed record FlatWeight(string Name, long[] Shape, long Offset)
{
    /// <summary>How many numbers it has.</summary>
    public long Size { get; } = Shape.Aggregate(1L, (a, b) => a * b);

    /// <summary>Its part of a flat buffer, in its shape.</summary>
    public Tensor In(Tensor flat) => flat.narrow(0, Offset, Size).view(Shape);
}

/// <summary>
/// The weights of a model that is trained from nothing, in one flat fp32 buffer, beside a bf16 copy that the forward
/// and backward passes use. The optimiser then works on a few long tensors instead of hundreds of short ones.
/// </summary>
/// <param name="capacity">Room for this many numbers.</param>
/// <param name="seed">Of the initial values.</param>
/// <param name="start">How a weight of that name and shape starts.</param>
internal sealed class FreshWeights(long capacity, long seed, Func<string, long[], Start> start) : IWeightSource
{
    // Each weight starts at a multiple of 64 bytes of the bf16 copy.
    private const long Alignment = 32;
    private readonly List<FlatWeight> _entries = [];
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
    private readonly Tensor _master = zeros(capacity, ScalarType.Float32);
    private readonly Tensor _compute = zeros(capacity, Precision.Compute);
    private List<Tensor> _leaves = [];
    private long _used;

    /// <summary>The weights, in the order that modules took them.</summary>
    public IReadOnlyList<FlatWeight> Entries => _entries;

    /// <summary>How many numbers are learnt.</summary>
    public long Count => _entries.Sum(entry => entry.Size);

    /// <summary>The weights in fp32, flat, gaps included.</summary>
    public Tensor Master => _master.narrow(0, 0, _used);

    /// <summary>The weights that passes use, flat.</summary>
    public Tensor Compute => _compute.narrow(0, 0, _used);

    /// <summary>
    /// The tensors that modules hold, in the order of <see cref="Entries"/>: leaves over <see cref="Compute"/>'s
    /// memory.
    /// </summary>
    public IReadOnlyList<Tensor> Leaves => _leaves;

    public bool Contains(string name) => _index.ContainsKey(name);

    public Tensor Take(string name, long[] shape)
    {
        if (!_index.TryGetValue(name, out var index))
        {
            index = _entries.Count;
            _index.Add(name, index);
            var entry = new FlatWeight(name, shape, _used);
            _entries.Add(entry);
            using var frozen = no_grad();
            Initialise(entry.In(_master), name, shape);
            entry.In(_compute).copy_(entry.In(_master));
            _used += (entry.Size + Alignment - 1) / Alignment * Alignment;
        }

        var leaf = _entries[index].In(_compute).detach().requires_grad_(true).DetachFromDisposeScope();
        _leaves.Add(leaf);
        return leaf;
    }

    /// <summary>Builds another model over the same weights, whose gradients are its own: for a second thread.</summary>
    public (T Model, IReadOnlyList<Tensor> Leaves) Replica<T>(Func<T> build)
    {
        var mine = _leaves;
        _leaves = [];
        var model = build();
        var leaves = _leaves;
        _leaves = mine;
        return (model, leaves);
    }

    /// <summary>Takes the values of a finished component instead of fresh ones.</summary>
    /// <param name="path">A safetensors file with every weight that modules took.</param>
    /// <param name="apart">Names that begin so are not in it, and start fresh; null: all are in it.</param>
    public void Read(string path, string? apart = null)
    {
        using var frozen = no_grad();
        using var file = SafetensorsFile.Open(path);
        foreach (
            var (name, weight) in Named(Master)
                .Where(entry => apart is null || !entry.Key.StartsWith(apart, StringComparison.Ordinal))
        )
        {
            using var stored = file.Read(name);
            weight.copy_(stored);
        }

        Compute.copy_(Master);
    }

    /// <summary>The weights by name, from a flat buffer like <see cref="Master"/>.</summary>
    public Dictionary<string, Tensor> Named(Tensor flat) =>
        _entries.ToDictionary(entry => entry.Name, entry => entry.In(flat));

    private void Initialise(Tensor target, string name, long[] shape)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator((ulong)((seed * 100_000) + _entries.Count), CPU);
        switch (start(name, shape))
        {
            case Start.One:
                target.fill_(1);
                break;
            case Start.LogitScale:
                target.fill_(Math.Log(1 / 0.07) / 10);
                break;
            case Start.FanIn:
                var bound = 1 / Math.Sqrt(shape.Skip(1).Aggregate(1L, (a, b) => a * b));
                target.copy_((rand(target.shape, generator: generator) * 2 * bound) - bound);
                break;
            case Start.Embedding:
                target.copy_(randn(target.shape, generator: generator) * 0.02);
                break;
        }
    }
}
