using Dti.Engine.Checkpoints;
using Dti.Engine.Tokenization;
using TorchSharp;

namespace Dti.Engine.Models;

/// <summary>Norms of a vocabulary's token embeddings, over the rows that are not zero.</summary>
public sealed class VocabularyNorms
{
    private readonly float[] _norms;

    /// <param name="norms">Of all rows, by token id; those that are 0 do not count.</param>
    internal VocabularyNorms(float[] norms)
    {
        _norms = norms;
        float[] sorted = [.. norms.Where(norm => norm > 0).Order()];
        (Min, Max, Mean) = (sorted[0], sorted[^1], sorted.Average());
        Median = (sorted[(sorted.Length - 1) / 2] + (double)sorted[sorted.Length / 2]) / 2;
    }

    /// <summary>The smallest.</summary>
    public double Min { get; }

    /// <summary>The mean: DTI's magnitude.</summary>
    public double Mean { get; }

    /// <summary>The median.</summary>
    public double Median { get; }

    /// <summary>The largest.</summary>
    public double Max { get; }

    /// <summary>Of one token.</summary>
    /// <param name="id">The token.</param>
    public double Of(int id) => _norms[id];
}

/// <summary>What is known of one text encoder of a model without loading its weights. Thread-safe.</summary>
public sealed class TextEncoderProfile
{
    private readonly Checkpoint _checkpoint;
    private readonly Lazy<VocabularyNorms> _vocabularyNorms;
    private readonly Lazy<double> _typicalReadability;

    internal TextEncoderProfile(Checkpoint checkpoint, string component, ClipTextConfig config)
    {
        (_checkpoint, Component, Config) = (checkpoint, component, config);
        Tokenizer = checkpoint.LoadTokenizer(component);
        _vocabularyNorms = new Lazy<VocabularyNorms>(ReadVocabularyNorms);
        _typicalReadability = new Lazy<double>(ReadTypicalReadability);
    }

    /// <summary><c>text_encoder</c> or <c>text_encoder_2</c>.</summary>
    public string Component { get; }

    /// <summary>Its tokenizer.</summary>
    public ClipTokenizer Tokenizer { get; }

    /// <summary>Width d of its token embeddings.</summary>
    public int Dimension => Config.HiddenSize;

    /// <summary>Norms of its vocabulary; read from disk when first asked for.</summary>
    /// <exception cref="DtiException">The weights cannot be read.</exception>
    public VocabularyNorms VocabularyNorms => _vocabularyNorms.Value;

    /// <summary>Mean <see cref="PositionReadability"/> of its vocabulary; read from disk when first asked for.</summary>
    internal double TypicalReadability => _typicalReadability.Value;

    internal ClipTextConfig Config { get; }

    /// <summary>The vocabulary, (V, d), and the position embeddings, (77, d); fp32 on the CPU.</summary>
    internal (torch.Tensor Vocabulary, torch.Tensor Positions) ReadEmbeddings()
    {
        using var weights = _checkpoint.OpenWeights(Component);
        var vocabulary = torch.empty([Config.VocabSize, Config.HiddenSize], torch.ScalarType.Float32);
        var positions = torch.empty([Config.MaxPositionEmbeddings, Config.HiddenSize], torch.ScalarType.Float32);
        weights.ReadInto("text_model.embeddings.token_embedding.weight", vocabulary);
        weights.ReadInto("text_model.embeddings.position_embedding.weight", positions);
        return (vocabulary, positions);
    }

    private double ReadTypicalReadability()
    {
        using var scope = torch.NewDisposeScope();
        var (vocabulary, positions) = ReadEmbeddings();
        return PositionReadability.Typical(vocabulary, positions);
    }

    private VocabularyNorms ReadVocabularyNorms()
    {
        using var scope = torch.NewDisposeScope();
        return new VocabularyNorms(ReadEmbeddings().Vocabulary.norm(1, keepdim: false, p: 2f).data<float>().ToArray());
    }
}
