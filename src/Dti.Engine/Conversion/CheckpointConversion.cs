using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Models.Families;
using Dti.Engine.Runtime.Files;

namespace Dti.Engine.Conversion;

/// <summary>
/// From a single file to a folder and back. Every tensor keeps its bytes and its dtype; tensors go from file to file in
/// pieces, none is held whole. What a single file holds besides the model's components (EMA weights, layers that are
/// not used) goes into a file of its own in the folder, and from there back.
/// </summary>
public static class CheckpointConversion
{
    /// <summary>
    /// The file of a converted folder with what belongs to no component, and the single file's free texts.
    /// </summary>
    public const string ExtrasName = "single_file_extras.safetensors";

    private static readonly JsonSerializerOptions _indented = new() { WriteIndented = true };

    // transformers asks for it
    private static readonly Dictionary<string, string> _format = new() { ["format"] = "pt" };

    /// <summary>
    /// Converts a single file to a folder in the diffusers layout, or such a folder to a single file.
    /// </summary>
    /// <param name="source">The file or the folder.</param>
    /// <param name="target">What is made: a folder, or a file that ends in <c>.safetensors</c>. Nothing may be there.
    /// It appears whole or not at all.</param>
    /// <param name="cancellationToken">Stops between two tensors, with nothing left behind.</param>
    /// <exception cref="DtiException">The source is no supported model, something is at the target, or the disk is
    /// full.</exception>
    /// <exception cref="OperationCanceledException">It was stopped.</exception>
    public static void Convert(string source, string target, CancellationToken cancellationToken = default)
    {
        var checkpoint = ModelFamilies.BuiltIn.Open(source);
        if (Path.Exists(target))
        {
            throw new DtiException(
                ErrorKind.InvalidArgument,
                $"{target} is there already; name a place where nothing is."
            );
        }

        if (checkpoint is SingleFileCheckpoint file)
        {
            if (SingleFileCheckpoint.HasExtension(target))
            {
                throw new DtiException(
                    ErrorKind.InvalidArgument,
                    $"A single file becomes a folder; '{target}' is named like a file."
                );
            }

            ToFolder(file, target, cancellationToken);
            return;
        }

        if (!SingleFileCheckpoint.HasExtension(target))
        {
            throw new DtiException(
                ErrorKind.InvalidArgument,
                $"A folder becomes a single file, whose name ends in .safetensors; '{target}' does not."
            );
        }

        ToFile((ModelFolder)checkpoint, target, cancellationToken);
    }

    /// <inheritdoc cref="Convert"/>
    internal static void ToFolder(SingleFileCheckpoint source, string target, CancellationToken cancellationToken)
    {
        var whole = Path.TrimEndingDirectorySeparator(Path.GetFullPath(target));
        // hidden, so that no library lists it
        var draft = Path.Combine(Path.GetDirectoryName(whole)!, $".{Path.GetFileName(whole)}.{Guid.NewGuid():N}.tmp");
        try
        {
            Directory.CreateDirectory(draft);
            using var file = SafetensorsFile.Open(source.Path);
            var extras = file.Tensors.Keys.ToHashSet(StringComparer.Ordinal);
            foreach (var component in source.Components)
            {
                using var weights = source.OpenWeights(component);
                if (weights.Names.Count == 0)
                {
                    throw new DtiException(
                        ErrorKind.FailedPrecondition,
                        $"{source.Path} holds no {component}; a folder without it would not load."
                    );
                }

                var folder = Directory.CreateDirectory(Path.Combine(draft, component)).FullName;
                Write(
                    Path.Combine(folder, "config.json"),
                    source.FileLayout.FolderConfig(component, source.ReadConfig(component))
                );
                Write(
                    Path.Combine(
                        folder,
                        Checkpoint.WeightsFileOf(source.Layout.Components.Single(known => known.Name == component).Role)
                    ),
                    weights.Names.Select(name => new OutgoingTensor(
                        name,
                        weights.Entry(name).FileDtype,
                        weights.Entry(name).Shape,
                        stream => weights.CopyTo(name, stream)
                    )),
                    _format,
                    cancellationToken
                );
                extras.ExceptWith(weights.StoredNames);
            }

            Write(
                Path.Combine(draft, ExtrasName),
                extras
                    .Select(name => file.Tensors[name])
                    .Select(entry => new OutgoingTensor(entry.Name, entry.FileDtype, entry.Shape, stream =>
                        file.CopyTo(entry, stream)
                    )),
                file.Metadata,
                cancellationToken
            );
            foreach (var encoder in source.TextEncoders)
            {
                source.WriteTokenizer(
                    encoder,
                    Directory.CreateDirectory(Path.Combine(draft, Checkpoint.TokenizerOf(encoder))).FullName
                );
            }

            Directory.CreateDirectory(Path.Combine(draft, "scheduler"));
            Write(Path.Combine(draft, "scheduler", "scheduler_config.json"), source.ReadConfig("scheduler"));
            Write(Path.Combine(draft, "model_index.json"), source.FileLayout.FolderIndex(source));
            Directory.Move(draft, target);
        }
        catch
        {
            if (Directory.Exists(draft))
            {
                Directory.Delete(draft, recursive: true);
            }

            throw;
        }
    }

    private static void ToFile(ModelFolder source, string target, CancellationToken cancellationToken)
    {
        var family = ModelFamilies.BuiltIn.Describe(source).SingleFile
            ?? throw new DtiException(
                ErrorKind.InvalidArgument,
                $"{source.Path}: models of {source.Layout.ClassName} have no single-file layout."
            );
        var opened = new List<IDisposable>();
        try
        {
            var tensors = new List<OutgoingTensor>();
            foreach (var component in source.Components)
            {
                var weights = source.OpenWeights(component);
                opened.Add(weights);
                tensors.AddRange(Outgoing(family, component, source.ReadConfig(component), weights));
            }

            var metadata = family.Metadata(source);
            var extras = Path.Combine(source.Path, ExtrasName);
            if (File.Exists(extras))
            {
                var file = SafetensorsFile.Open(extras);
                opened.Add(file);
                tensors.AddRange(
                    file.Tensors.Values.Select(entry => new OutgoingTensor(
                        entry.Name,
                        entry.FileDtype,
                        entry.Shape,
                        stream => file.CopyTo(entry, stream)
                    ))
                );
                metadata = new Dictionary<string, string>(file.Metadata);
            }

            var marks = family.Marks(source).Where(mark => tensors.TrueForAll(tensor => tensor.Name != mark.Name));
            tensors.AddRange(marks.Select(mark => mark.Outgoing()).ToArray());
            Write(target, tensors, metadata, cancellationToken);
        }
        finally
        {
            opened.ForEach(each => each.Dispose());
        }
    }

    private static IEnumerable<OutgoingTensor> Outgoing(
        SingleFileLayout family,
        string component,
        JsonElement config,
        ComponentWeights weights
    )
    {
        var (prefix, rows) = family.Layout(component, config);
        var tensors = OriginalTensor.Of(
            rows,
            prefix,
            weights.Names.ToDictionary(name => name, name => weights.Entry(name).Shape),
            out var unknown
        );

        // position_ids are a constant that older transformers saved.
        if (unknown.FirstOrDefault(name => !name.EndsWith("position_ids", StringComparison.Ordinal)) is { } other)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{weights.FileOf(other).Path}: tensor '{other}' has no place in a single file of {family.Name}."
            );
        }

        return tensors.Select(tensor => new OutgoingTensor(
            tensor.Name,
            weights.Entry(tensor.Parts[0]).FileDtype,
            tensor.Shape,
            stream =>
            {
                foreach (var part in tensor.Parts)
                {
                    weights.CopyTo(part, stream, tensor.Transposed);
                }
            }
        ));
    }

    private static void Write(
        string path,
        IEnumerable<OutgoingTensor> tensors,
        IReadOnlyDictionary<string, string> metadata,
        CancellationToken cancellationToken
    ) => AtomicFile.Write(path, stream => SafetensorsWriter.Write(
                stream,
                tensors.Select(tensor =>
                    tensor with
                    {
                        WriteData = to =>
                        {
                            cancellationToken.ThrowIfCancellationRequested();
                            tensor.WriteData(to);
                        },
                    }
                ),
                metadata
            ));

    private static void Write<T>(string path, T json) =>
        AtomicFile.WriteAllText(path, JsonSerializer.Serialize(json, _indented) + "\n");
}
