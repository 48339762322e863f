using Dti.Engine.Checkpoints;
using static TorchSharp.torch;

namespace Dti.Tests;

/// <summary>A golden safetensors file, read whole; dispose frees its tensors.</summary>
internal sealed class Golden : IDisposable
{
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);

    public Golden(string path)
    {
        using var file = SafetensorsFile.Open(path);
        foreach (var name in file.Tensors.Keys)
        {
            _tensors.Add(name, file.Read(name).DetachFromDisposeScope());
        }
    }

    public Tensor this[string name] => _tensors[name];

    public IEnumerable<string> Names => _tensors.Keys;

    public bool Has(string name) => _tensors.ContainsKey(name);

    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
        {
            tensor.Dispose();
        }
    }

    /// <summary>Largest difference, relative to the largest expected value.</summary>
    public static double RelativeError(Tensor expected, Tensor actual)
    {
        using var scope = NewDisposeScope();
        Assert.Equal(expected.shape, actual.shape);
        var wanted = expected.detach().to(ScalarType.Float64);
        var difference = (wanted - actual.detach().cpu().to(ScalarType.Float64)).abs().max().item<double>();
        return difference / Math.Max(1e-12, wanted.abs().max().item<double>());
    }

    public static void AssertClose(Tensor expected, Tensor actual, double tolerance, string what = "")
    {
        var error = RelativeError(expected, actual);
        Assert.True(error <= tolerance, $"{what}: relative error {error:G3} is above {tolerance:G3}");
    }
}
