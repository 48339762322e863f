using Dti.Engine.Checkpoints;
using static TorchSharp.torch;

namespace Dti.Tests;

/// <summary>A golden safetensors file, read whole; dispose frees its tensors.</summary>
internal sealed class Golden : IDisposable
{
    private static readonly FixtureGroup[] _manifest = FixtureManifest.Read(Fixtures.Repository);
    private readonly Dictionary<string, Tensor> _tensors = new(StringComparer.Ordinal);
    private readonly string _path;

    public Golden(string path)
    {
        _path = FixtureUse.Note(path);
        using var file = SafetensorsFile.Open(path);
        foreach (var name in file.Tensors.Keys)
        {
            _tensors.Add(name, file.Read(name).DetachFromDisposeScope());
        }
    }

    public Tensor this[string name]
    {
        get
        {
            FixtureUse.Note(_path, name);
            return _tensors[name];
        }
    }

    public IEnumerable<string> Names => _tensors.Keys;

    public bool Has(string name) => _tensors.ContainsKey(name);

    public void Dispose()
    {
        foreach (var tensor in _tensors.Values)
        {
            tensor.Dispose();
        }
    }

    /// <summary>
    /// The largest relative error that a tensor may have, from the manifest; by file name, if its folder is not in it.
    /// </summary>
    public double Tolerance(string name)
    {
        var (folder, file) = (Fixtures.Name(Path.GetDirectoryName(_path)!), Path.GetFileName(_path));
        var fitting =
            from one in _manifest
            from entry in one.Files
            where FixtureManifest.Fits(entry.Key, file)
            orderby one.Folders.Contains(folder) descending
            from tolerance in entry.Value.Tolerances ?? []
            where FixtureManifest.Fits(tolerance.Tensors, name) && (tolerance.OnlyIn ?? folder) == folder
            select tolerance;
        return fitting.FirstOrDefault()?.Within
            ?? throw new InvalidOperationException(
                $"The manifest of the fixtures states no tolerance for {name} of {file}."
            );
    }

    /// <summary>Holds a result to a recorded tensor, within the manifest's tolerance.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="actual">The result.</param>
    /// <param name="part">Takes the part of the recorded tensor that the result is to equal; null: all of it.</param>
    public void AssertClose(string name, Tensor actual, Func<Tensor, Tensor>? part = null)
    {
        using var scope = NewDisposeScope();
        AssertClose(part is null ? this[name] : part(this[name]), actual, Tolerance(name), name);
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
