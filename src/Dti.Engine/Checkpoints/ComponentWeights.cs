using System.Text.Json;
using System.Text.RegularExpressions;
using Dti.Engine.Configs;
using static TorchSharp.torch;

namespace Dti.Engine.Checkpoints;

/// <summary>
/// The weights of one component of a model: a folder's, in one file or several, or those that a single file holds.
/// </summary>
public sealed partial class ComponentWeights : IDisposable
{
    private static readonly string[] _endings = [".safetensors", ".bin", ".pt", ".ckpt", ".msgpack", ".onnx"];
    private static readonly string[] _textParts = ["embeddings.", "encoder.", "final_layer_norm."];

    private readonly List<SafetensorsFile> _files = [];
    private readonly Dictionary<string, (SafetensorsFile File, StoredTensor Tensor)> _tensors = new(
        StringComparer.Ordinal
    );

    private ComponentWeights(string folder) => Folder = folder;

    /// <summary>The component's folder, or the single file.</summary>
    public string Folder { get; }

    /// <summary>Whether the data of the tensors is here, not their headers alone.</summary>
    internal bool HasData => _files.TrueForAll(file => file.HasData);

    /// <summary>Names of all tensors.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Bytes of all tensors.</summary>
    public long TotalBytes => _tensors.Values.Sum(tensor => tensor.Tensor.Entry.Length);

    /// <summary>Elements of all tensors.</summary>
    public long TotalElements =>
        _tensors.Values.Sum(tensor => tensor.Tensor.Shape.Aggregate(1L, (product, side) => product * side));

    /// <summary>
    /// What most of the bytes are stored as: <c>fp32</c>, <c>fp16</c>, <c>bf16</c>, <c>fp8_e4m3</c>, <c>fp8_e5m2</c>, …
    /// </summary>
    public string StoredDtype =>
        _tensors
            .Values.Select(tensor => tensor.Tensor.Entry)
            .GroupBy(entry => entry.StoredDtype)
            .MaxBy(group => group.Sum(entry => entry.Length))
            ?.Key
        ?? "";

    /// <summary>
    /// Opens the weights that a folder holds: <c>NAME.safetensors</c>, <c>NAME.safetensors.index.json</c> with its
    /// shards, or their variants.
    /// </summary>
    /// <param name="folder">The component's folder.</param>
    /// <param name="variant"><c>fp16</c>, …; null: the plain files, or else the only variant there is.</param>
    /// <exception cref="DtiException">There are none, a shard is missing, or a file is not valid.</exception>
    public static ComponentWeights Open(string folder, string? variant = null)
    {
        var weights = new ComponentWeights(folder);
        try
        {
            weights.OpenFiles(variant);
            weights.AddTextPrefix();
            return weights;
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <summary>Whether a folder holds weights in any form, readable or not.</summary>
    internal static bool IsIn(string folder) =>
        Directory.Exists(folder)
        && Directory
            .EnumerateFiles(folder)
            .Any(file =>
                _endings.Contains(Path.GetExtension(file))
                || file.EndsWith(".safetensors.index.json", StringComparison.Ordinal)
            );

    /// <summary>Those of a component that a model lacks.</summary>
    internal static ComponentWeights None(string folder) => new(folder);

    /// <summary>Some of the tensors of a file, under names of Dti's.</summary>
    /// <param name="file">The file; closed with these weights.</param>
    /// <param name="tensors">By canonical name.</param>
    internal static ComponentWeights Of(SafetensorsFile file, IReadOnlyDictionary<string, StoredTensor> tensors)
    {
        var weights = new ComponentWeights(file.Path);
        weights._files.Add(file);
        foreach (var (name, tensor) in tensors)
        {
            weights._tensors.Add(name, (file, tensor));
        }

        return weights;
    }

    /// <summary>Whether there is a tensor of that name.</summary>
    public bool Contains(string name) => _tensors.ContainsKey(name);

    /// <summary>The tensor's description; its shape is the one that the model has.</summary>
    /// <exception cref="DtiException">There is none of that name.</exception>
    public SafetensorsEntry Entry(string name)
    {
        var tensor = Find(name).Tensor;
        return tensor.Entry with { Shape = tensor.Shape };
    }

    /// <summary>Checks a tensor's shape.</summary>
    /// <exception cref="DtiException">There is none of that name, or it is of another shape; the message names file,
    /// tensor, expected and found.</exception>
    public void EnsureShape(string name, IEnumerable<long> shape)
    {
        var entry = Entry(name);
        if (!entry.Shape.SequenceEqual(shape))
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{FileOf(name).Path}: tensor '{name}' is {entry.ShapeText}; ({string.Join(", ", shape)}) was expected from the config."
            );
        }
    }

    /// <summary>The file that holds the tensor.</summary>
    /// <exception cref="DtiException">There is none of that name.</exception>
    public SafetensorsFile FileOf(string name) => Find(name).File;

    /// <inheritdoc cref="SafetensorsFile.ReadInto(string, Tensor)"/>
    public void ReadInto(string name, Tensor destination)
    {
        var (file, tensor) = Find(name);
        if (!tensor.Transposed)
        {
            file.ReadInto(tensor.Entry, destination);
            return;
        }

        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        destination.copy_(file.Read(tensor.Entry).t());
    }

    /// <summary>Names of the tensors in the files that these weights are of.</summary>
    internal IEnumerable<string> StoredNames => _tensors.Values.Select(tensor => tensor.Tensor.Entry.Name);

    /// <summary>Copies a tensor's bytes, of the dtype that it is stored in.</summary>
    /// <param name="name">The tensor.</param>
    /// <param name="stream">Where to.</param>
    /// <param name="transposed">A matrix column by column.</param>
    /// <exception cref="DtiException">There is none of that name, or the file cannot be read.</exception>
    internal void CopyTo(string name, Stream stream, bool transposed = false)
    {
        var (file, tensor) = Find(name);
        if (transposed == tensor.Transposed)
        {
            file.CopyTo(tensor.Entry, stream);
            return;
        }

        using var matrix = new MemoryStream();
        file.CopyTo(tensor.Entry, matrix);
        stream.Write(
            Transpose(
                matrix.GetBuffer(),
                (int)tensor.Entry.Shape[0],
                (int)tensor.Entry.Shape[1],
                SafetensorsHeader.WidthOf(tensor.Entry.FileDtype)
            )
        );
    }

    private static byte[] Transpose(ReadOnlySpan<byte> matrix, int rows, int columns, int width)
    {
        var turned = new byte[rows * columns * width];
        for (var row = 0; row < rows; row++)
        {
            for (var column = 0; column < columns; column++)
            {
                matrix
                    .Slice(((row * columns) + column) * width, width)
                    .CopyTo(turned.AsSpan(((column * rows) + row) * width));
            }
        }

        return turned;
    }

    /// <inheritdoc/>
    public void Dispose() => _files.ForEach(file => file.Dispose());

    private (SafetensorsFile File, StoredTensor Tensor) Find(string name) =>
        _tensors.TryGetValue(name, out var found)
            ? found
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{(_files.Count == 1 ? _files[0].Path : Folder)} has no tensor '{name}'."
            );

    // transformers 5 saves a CLIPTextModel without the prefix that it had before, and still has in every other class.
    private void AddTextPrefix()
    {
        const string Prefix = "text_model.";
        if (
            !_tensors.ContainsKey("embeddings.token_embedding.weight")
            || _tensors.Keys.Any(name => name.StartsWith(Prefix, StringComparison.Ordinal))
        )
        {
            return;
        }

        foreach (
            var (name, tensor) in _tensors
                .Where(pair => _textParts.Any(part => pair.Key.StartsWith(part, StringComparison.Ordinal)))
                .ToList()
        )
        {
            _tensors.Remove(name);
            _tensors.Add(Prefix + name, tensor);
        }
    }

    private void OpenFiles(string? variant)
    {
        string[] files = Directory.Exists(Folder)
            ? [.. Directory.GetFiles(Folder).Select(Path.GetFileName).OfType<string>().Order(StringComparer.Ordinal)]
            : [];
        foreach (var name in new[] { "diffusion_pytorch_model", "model" })
        {
            foreach (var choice in Variants(files, name, variant))
            {
                var infix = choice.Length == 0 ? "" : $".{choice}";
                if (files.Contains($"{name}{infix}.safetensors"))
                {
                    AddFile($"{name}{infix}.safetensors", expected: null);
                    return;
                }

                // diffusers has spelt the index of a variant in two ways.
                if (
                    new[]
                    {
                        $"{name}.safetensors.index{infix}.json",
                        $"{name}{infix}.safetensors.index.json",
                    }.FirstOrDefault(files.Contains) is
                    { } index
                )
                {
                    AddShards(index);
                    return;
                }
            }
        }

        var pickle = files.FirstOrDefault(file =>
            file.EndsWith(".bin", StringComparison.Ordinal)
            || file.EndsWith(".pt", StringComparison.Ordinal)
            || file.EndsWith(".ckpt", StringComparison.Ordinal)
        );
        throw new DtiException(
            ErrorKind.FailedPrecondition,
            pickle is null
                ? $"{Folder} holds no weights{(variant is null ? "" : $" of variant '{variant}'")}: expected diffusion_pytorch_model.safetensors or model.safetensors."
                : $"{Folder} holds its weights as a pickle ({pickle}): loading one can run any program hidden in it, so it is refused. Convert it to safetensors first."
        );
    }

    /// <summary>The variants to look for, in order; the empty one is the plain files.</summary>
    private static IEnumerable<string> Variants(string[] files, string name, string? variant) =>
        variant is not null
            ? [variant]
            : files
                .Where(file =>
                    file.StartsWith(name + ".", StringComparison.Ordinal)
                    && file.Contains(".safetensors", StringComparison.Ordinal)
                )
                .Select(file => file[(name.Length + 1)..])
                .Where(rest => !Shard().IsMatch(rest)) // the index names them
                .Select(rest =>
                    rest.Split('.') switch
                    {
                        ["safetensors", "index", var v, "json"] => v,
                        [var v, "safetensors"] => v,
                        [var v, "safetensors", "index", "json"] => v,
                        _ => "",
                    }
                )
                .Prepend("")
                .Distinct();

    private void AddShards(string index)
    {
        foreach (var shard in ReadIndex(index).GroupBy(pair => pair.Value, pair => pair.Key))
        {
            if (Path.GetFileName(shard.Key) != shard.Key || !File.Exists(Path.Combine(Folder, shard.Key)))
            {
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"{Path.Combine(Folder, index)} names the shard '{shard.Key}', which is not in its folder."
                );
            }

            AddFile(shard.Key, [.. shard]);
        }
    }

    private void AddFile(string name, IReadOnlyCollection<string>? expected)
    {
        var file = SafetensorsFile.Open(Path.Combine(Folder, name));
        _files.Add(file);
        foreach (var tensor in expected ?? file.Tensors.Keys)
        {
            if (!file.Tensors.ContainsKey(tensor))
            {
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"{file.Path} lacks tensor '{tensor}', which the index says it holds."
                );
            }

            _tensors[tensor] = (file, new StoredTensor(file.Tensors[tensor]));
        }
    }

    private Dictionary<string, string> ReadIndex(string index)
    {
        var path = Path.Combine(Folder, index);
        using var json = BoundedJson.Read(path, 32 * 1024 * 1024);
        if (
            json.RootElement.ValueKind != JsonValueKind.Object
            || !json.RootElement.TryGetProperty("weight_map", out var map)
            || map.ValueKind != JsonValueKind.Object
            || map.EnumerateObject().Any(pair => pair.Value.ValueKind != JsonValueKind.String)
        )
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{path} has no weight_map from tensor names to files."
            );
        }

        var result = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var pair in map.EnumerateObject())
        {
            result[pair.Name] = pair.Value.GetString()!;
        }

        return result;
    }

    [GeneratedRegex(@"-\d{5}-of-\d{5}\.safetensors\z", RegexOptions.CultureInvariant)]
    private static partial Regex Shard();
}
