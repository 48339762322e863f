using Dti.Engine.Checkpoints;
using Dti.Engine.Tokenization;
using TorchSharp;

namespace Dti.Engine.Models;

/// <summary>Where a text encoder keeps its embeddings.</summary>
/// <param name="VocabularySize">V, rows of the token embedding; ids of concept vectors begin there.</param>
/// <param name="Dimension">Width d.</param>
/// <param name="Tokens">The token embedding's tensor, (V, d).</param>
/// <param name="Positions">The position embedding's tensor; null: positions are not embedded.</param>
/// <param name="PositionCount">Its rows.</param>
public sealed record TokenEmbeddings(
    int VocabularySize,
    int Dimension,
    string Tokens,
    string? Positions = null,
    int PositionCount = 0
);

/// <summary>What is known of one text encoder of a model without loading its weights. Thread-safe.</summary>
public sealed class TextEncoderProfile
{
    private const int NormRows = 16_384; // of which norms are computed at once
    private readonly Checkpoint _checkpoint;
    private readonly Lazy<VocabularyNorms> _vocabularyNorms;
    private readonly Lazy<double> _typicalReadability;

    /// <summary>Loads the tokenizer.</summary>
    /// <param name="checkpoint">The model's files.</param>
    /// <param name="component"><c>text_encoder</c>, <c>text_encoder_2</c>, …</param>
    /// <param name="embeddings">Where its embeddings are.</param>
    /// <param name="embeddingKey">The key of its vectors in embedding files for several encoders:
    /// <c>clip_l</c>.</param>
    /// <exception cref="DtiException">The tokenizer is missing, not valid, or has more tokens than the
    /// encoder.</exception>
    public TextEncoderProfile(Checkpoint checkpoint, string component, TokenEmbeddings embeddings, string embeddingKey)
    {
        ArgumentNullException.ThrowIfNull(checkpoint);
        (_checkpoint, Component, Embeddings, EmbeddingKey) = (checkpoint, component, embeddings, embeddingKey);
        Tokenizer = checkpoint.LoadTokenizer(component);
        _vocabularyNorms = new Lazy<VocabularyNorms>(ReadVocabularyNorms);
        _typicalReadability = new Lazy<double>(ReadTypicalReadability);
    }

    /// <summary><c>text_encoder</c>, <c>text_encoder_2</c>, …</summary>
    public string Component { get; }

    /// <summary>The key of its vectors in embedding files for several encoders.</summary>
    public string EmbeddingKey { get; }

    /// <summary>For the metadata of concepts: key, width, and how it computes where that is a choice.</summary>
    public string Description => $"{EmbeddingKey}, {Dimension} wide{(Notes.Length > 0 ? $", {Notes}" : "")}";

    /// <summary>
    /// How it computes where that is a choice, for the metadata of concepts; empty: there is none.
    /// </summary>
    public string Notes { get; init; } = "";

    /// <summary>Its tokenizer.</summary>
    public ITokenizer Tokenizer { get; }

    /// <summary>Where its embeddings are.</summary>
    public TokenEmbeddings Embeddings { get; }

    /// <summary>Width d of its token embeddings.</summary>
    public int Dimension => Embeddings.Dimension;

    /// <summary>Norms of its vocabulary; read from disk when first asked for.</summary>
    /// <exception cref="DtiException">The weights cannot be read.</exception>
    public VocabularyNorms VocabularyNorms => _vocabularyNorms.Value;

    /// <summary>
    /// Mean <see cref="PositionReadability"/> of its vocabulary; read from disk when first asked for. 0 where positions
    /// are not embedded.
    /// </summary>
    internal double TypicalReadability => _typicalReadability.Value;

    /// <summary>An empty set of concept tokens, whose ids begin after its vocabulary.</summary>
    public PlaceholderTokens NewPlaceholders() =>
        new(Embeddings.VocabularySize, Tokenizer.Normalized, Tokenizer.ConceptSeparator);

    /// <summary>
    /// The vocabulary, (V, d), and the position embeddings, (77, d) for CLIP, or null; fp32 on the CPU.
    /// </summary>
    internal (torch.Tensor Vocabulary, torch.Tensor? Positions) ReadEmbeddings()
    {
        using var weights = _checkpoint.OpenWeights(Component);
        var vocabulary = Read(weights, Embeddings.Tokens, Embeddings.VocabularySize);
        return (
            vocabulary,
            Embeddings.Positions is null ? null : Read(weights, Embeddings.Positions, Embeddings.PositionCount)
        );
    }

    private torch.Tensor Read(ComponentWeights weights, string name, int rows)
    {
        var values = torch.empty([rows, Embeddings.Dimension], torch.ScalarType.Float32);
        weights.ReadInto(name, values);
        return values;
    }

    private double ReadTypicalReadability()
    {
        if (Embeddings.Positions is null)
        {
            return 0; // without reading the vocabulary, which may be large
        }

        using var scope = torch.NewDisposeScope();
        var (vocabulary, positions) = ReadEmbeddings();
        return PositionReadability.Typical(vocabulary, positions!);
    }

    private VocabularyNorms ReadVocabularyNorms()
    {
        using var scope = torch.NewDisposeScope();
        using var weights = _checkpoint.OpenWeights(Component);
        if (!weights.HasData && ModelMetadata.NormsOf(_checkpoint.Path, Component) is { } known)
        {
            return new VocabularyNorms(known);
        }

        // as it is stored: of a large vocabulary, fp32 would take gigabytes
        var rows = torch.empty(
            [Embeddings.VocabularySize, Embeddings.Dimension],
            weights.Entry(Embeddings.Tokens).Dtype
        );
        weights.ReadInto(Embeddings.Tokens, rows);
        return new VocabularyNorms([.. rows.split(NormRows).SelectMany(Norms)]);

        static float[] Norms(torch.Tensor part)
        {
            using var each = torch.NewDisposeScope();
            return part.to(torch.ScalarType.Float32).norm(1, keepdim: false, p: 2f).data<float>().ToArray();
        }
    }
}
