using Dti.Engine.Checkpoints;
using Dti.Engine.Models.Families;
using Dti.Engine.Runtime.Files;
using static TorchSharp.torch;

namespace Dti.Engine.Concepts;

/// <summary>Layouts of embedding files.</summary>
public enum ConceptFileFormat
{
    /// <summary>
    /// <c>{"&lt;name&gt;": (n, d)}</c>: diffusers' textual inversion and the reference implementation's
    /// <c>learned_embeds</c>. For SDXL as <see cref="WebUi"/>: diffusers loads each of its tensors for its encoder.
    /// </summary>
    Diffusers,

    /// <summary>
    /// <c>{"emb_params": (n, d)}</c>, for SDXL <c>{"clip_l": (n, 768), "clip_g": (n, 1280)}</c>: A1111 and ComfyUI.
    /// </summary>
    WebUi,
}

/// <summary>Concepts as safetensors files that other tools load. Values are the embeddings e = m·v, fp32.</summary>
public static class ConceptFile
{
    /// <summary>The entry of a file's metadata that names the family of the model it was learnt with.</summary>
    public const string FamilyKey = "dti.family";

    private const string WebUiKey = "emb_params";
    private const int MaxVectors = 77;
    private const int MaxDimension = 16_384;

    /// <summary>
    /// Reads an embedding of any tool that <see cref="EmbeddingKeys"/> knows, also from a LoRA's bundle. Norms are kept
    /// as they are: a file of plain textual inversion becomes directions and its own magnitudes.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="placeholder">
    /// What stands for the concept, and which embedding of a bundle of several is read; null: as the file calls it.
    /// </param>
    /// <exception cref="DtiException">It is not a safetensors file, or does not hold one embedding.</exception>
    public static ConceptEmbedding Read(string path, string? placeholder = null)
    {
        using var file = SafetensorsFile.Open(path);
        return Read(file, placeholder);
    }

    /// <summary>Reads an embedding from a file that is open.</summary>
    /// <inheritdoc cref="Read(string, string?)"/>
    public static ConceptEmbedding Read(SafetensorsFile file, string? placeholder = null) =>
        Read(file, placeholder, out _);

    /// <summary>Reads an embedding from a file that is open.</summary>
    /// <param name="file">The file.</param>
    /// <param name="placeholder">
    /// What stands for the concept, and which embedding of a bundle of several is read; null: as the file calls it.
    /// </param>
    /// <param name="ignored">Names of the tensors that were passed over.</param>
    /// <exception cref="DtiException">It does not hold one embedding.</exception>
    public static ConceptEmbedding Read(SafetensorsFile file, string? placeholder, out IReadOnlyList<string> ignored)
    {
        ArgumentNullException.ThrowIfNull(file);
        using var scope = NewDisposeScope();
        var found = EmbeddingTensors.Of(file, placeholder);
        DirectionalVectors[] all = [.. found.Encoders.Select(entries => Vectors(file, entries))];
        var other = all.FirstOrDefault(vectors => vectors.Count != all[0].Count);
        if (other is not null)
        {
            throw Bad(
                file.Path,
                $"it holds {all[0].Count} vectors for one text encoder and {other.Count} for the other"
            );
        }

        ignored = found.Ignored;
        var name = placeholder ?? found.Placeholder ?? $"<{Path.GetFileNameWithoutExtension(file.Path)}>";
        return new ConceptEmbedding(name, all, found.Keys, file.Metadata.GetValueOrDefault(FamilyKey));
    }

    /// <summary>Writes a file; it appears whole or not at all.</summary>
    /// <param name="path">The file; an older one is replaced.</param>
    /// <param name="concept">The concept.</param>
    /// <param name="format">The layout.</param>
    /// <param name="metadata">Free texts for the header.</param>
    /// <exception cref="DtiException">The disk is full or the folder cannot be written.</exception>
    public static void Write(
        string path,
        ConceptEmbedding concept,
        ConceptFileFormat format,
        IReadOnlyDictionary<string, string>? metadata = null
    ) => AtomicFile.Write(path, stream => Write(stream, concept, format, metadata));

    /// <summary>Writes to a stream.</summary>
    public static void Write(
        Stream stream,
        ConceptEmbedding concept,
        ConceptFileFormat format,
        IReadOnlyDictionary<string, string>? metadata = null
    )
    {
        using var scope = NewDisposeScope();
        var keys =
            concept.Encoders.Count == 1
                ? [format == ConceptFileFormat.WebUi ? WebUiKey : concept.Placeholder]
                : KeysOf(concept);
        // what loaders look for
        var texts = new Dictionary<string, string>(metadata ?? new Dictionary<string, string>()) { ["format"] = "pt" };
        SafetensorsWriter.Write(
            stream,
            keys.Zip(concept.Encoders).ToDictionary(pair => pair.First, pair => Values(pair.Second)),
            texts
        );
    }

    private static IReadOnlyList<string> KeysOf(ConceptEmbedding concept) =>
        concept.Keys
        ?? ModelFamilies
            .BuiltIn.Embeddings.FirstOrDefault(layout => layout.Keys.Count == concept.Encoders.Count)
            ?.Keys.Select(key => key.Key)
            .ToArray()
        ?? throw new DtiException(
            ErrorKind.FailedPrecondition,
            $"{concept.Placeholder} has vectors for {concept.Encoders.Count} text encoders; no embedding file holds so many."
        );

    private static Tensor Values(DirectionalVectors vectors) =>
        tensor(
            Enumerable.Range(0, vectors.Count).SelectMany(vectors.Embedding).ToArray(),
            [vectors.Count, vectors.Dimension]
        );

    private static DirectionalVectors Vectors(SafetensorsFile file, IReadOnlyList<SafetensorsEntry> entries)
    {
        float[][] rows = [.. entries.SelectMany(entry => Rows(file, entry))];
        return rows.Length <= MaxVectors && rows.All(row => row.Length == rows[0].Length)
            ? DirectionalVectors.FromEmbeddings(rows)
            : throw Bad(
                file.Path,
                $"its tensors from '{entries[0].Name}' on hold {rows.Length} vectors; "
                    + $"expected 1 to {MaxVectors}, all of the same width"
            );
    }

    private static float[][] Rows(SafetensorsFile file, SafetensorsEntry entry)
    {
        if (
            entry.Shape.Count is not (1 or 2)
            || entry.Shape[^1] is < 1 or > MaxDimension
            || (entry.Shape.Count == 2 && entry.Shape[0] is < 1 or > MaxVectors)
        )
        {
            throw Bad(
                file.Path,
                $"'{entry.Name}' is {entry.ShapeText}; expected (vectors, width) with 1 to {MaxVectors} vectors"
            );
        }

        if (entry.Dtype is not (ScalarType.Float64 or ScalarType.Float32 or ScalarType.Float16 or ScalarType.BFloat16))
        {
            throw Bad(file.Path, $"'{entry.Name}' holds {entry.Dtype} values; expected floating-point ones");
        }

        var embeddings = empty([.. entry.Shape], ScalarType.Float32);
        file.ReadInto(entry.Name, embeddings);
        float[][] rows = [.. embeddings.data<float>().ToArray().Chunk((int)entry.Shape[^1])];
        var zero = Array.FindIndex(rows, row => row.All(value => value == 0));
        var broken = Array.FindIndex(rows, row => !row.All(float.IsFinite));
        return zero < 0 && broken < 0
            ? rows
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                broken >= 0
                    ? $"{file.Path}: row {broken} of tensor '{entry.Name}' {entry.ShapeText} holds a value that is not finite, "
                        + "so its training failed; use an earlier save of it."
                    : $"{file.Path}: row {zero} of tensor '{entry.Name}' {entry.ShapeText} is all zero (rows count from 0), "
                        + "so it has no direction. "
                        + "Remove that row, or train the embedding for this text encoder too."
            );
    }

    private static DtiException Bad(string path, string why) =>
        new(ErrorKind.FailedPrecondition, $"{path} is not an embedding file: {why}.");
}
