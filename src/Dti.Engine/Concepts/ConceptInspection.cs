using Dti.Engine.Models;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Concepts;

/// <summary>A token of the vocabulary and how nearly a vector points its way.</summary>
/// <param name="Token">The token, without the mark of a word's end.</param>
/// <param name="Cosine">−1 to 1.</param>
public sealed record NearToken(string Token, double Cosine);

/// <summary>What can be said of one vector of a concept.</summary>
/// <param name="Encoder">Which text encoder it is for, from 0.</param>
/// <param name="Norm">‖e‖.</param>
/// <param name="AngleDegrees">To the token that it started from; null where that is unknown.</param>
/// <param name="Nearest">The nearest tokens of the vocabulary by direction, nearest first.</param>
/// <param name="PositionReadability">
/// How much of what the first attention layer sees still tells where the token stands: the share of the variance after
/// the first layer norm, without its weights, that comes from the position embedding; 0 to 1. It falls as the norm
/// grows (arXiv 2512.13672, section 3). 0 where the text encoder does not embed positions.
/// </param>
public sealed record VectorInspection(
    int Encoder,
    double Norm,
    double? AngleDegrees,
    IReadOnlyList<NearToken> Nearest,
    double PositionReadability
);

/// <summary>What a concept's vectors are, compared with the vocabulary of a model.</summary>
/// <param name="Norms">Norms of the first text encoder's vocabulary.</param>
/// <param name="TypicalReadability">Mean <see cref="VectorInspection.PositionReadability"/> of that vocabulary's own
/// tokens.</param>
/// <param name="Vectors">One per vector, text encoder by text encoder.</param>
public sealed record ConceptInspection(
    VocabularyNorms Norms,
    double TypicalReadability,
    IReadOnlyList<VectorInspection> Vectors
)
{
    /// <summary>
    /// Compares a concept with a model's vocabulary. Reads two tensors of each text encoder, in fp32 on the CPU.
    /// </summary>
    /// <param name="profile">The model.</param>
    /// <param name="concept">A concept of its family.</param>
    /// <param name="initializer">The word or phrase that the concept started from; null: unknown.</param>
    /// <param name="nearest">How many near tokens to name for each vector.</param>
    /// <param name="cancellationToken">Ends it before the next vector.</param>
    /// <exception cref="DtiException">The concept does not fit the model, or its weights cannot be read.</exception>
    public static ConceptInspection Of(
        ModelProfile profile,
        ConceptEmbedding concept,
        string? initializer,
        int nearest = 8,
        CancellationToken cancellationToken = default
    )
    {
        profile.EnsureFits(concept);
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var vectors = new List<VectorInspection>();
        for (var index = 0; index < profile.Encoders.Count; index++)
        {
            using var each = NewDisposeScope();
            var (vocabulary, positions) = ReadEmbeddings(profile, index);
            vectors.AddRange(
                Inspect(
                    profile.Encoders[index].Tokenizer,
                    index,
                    concept.Encoders[index],
                    vocabulary,
                    positions,
                    initializer,
                    nearest,
                    cancellationToken
                )
            );
        }

        return new ConceptInspection(profile.VocabularyNorms, profile.Encoders[0].TypicalReadability, vectors);
    }

    private static IEnumerable<VectorInspection> Inspect(
        ITokenizer tokenizer,
        int index,
        DirectionalVectors encoder,
        Tensor vocabulary,
        Tensor? positions,
        string? initializer,
        int nearest,
        CancellationToken cancellationToken
    )
    {
        // no copy of the vocabulary is divided by them
        var norms = vocabulary.norm(1, keepdim: false, p: 2f).clamp(min: 1e-12);
        var start = initializer is null ? [] : tokenizer.Encode(initializer);
        for (var i = 0; i < encoder.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var each = NewDisposeScope();
            var direction = tensor(encoder.Direction(i).ToArray());
            var (values, indices) = (vocabulary.mv(direction) / norms).topk(
                Math.Min(nearest, (int)vocabulary.shape[0])
            );
            yield return new VectorInspection(
                index,
                encoder.Magnitudes[i],
                start.Count > 0 && start[Math.Min(i, start.Count - 1)] is var token
                    ? Angle(direction, vocabulary[token] / norms[token])
                    : null,
                [
                    .. indices
                        .data<long>()
                        .Zip(values.data<float>(), (id, cosine) => new NearToken(tokenizer.TextOf((int)id), cosine)),
                ],
                positions is null ? 0 : PositionReadability.Of(tensor(encoder.Embedding(i)).unsqueeze(0), positions)
            );
        }
    }

    /// <summary>
    /// The vocabulary, (V, d), and the position embeddings that words can have, (76, d) for CLIP, or null; fp32 on the
    /// CPU.
    /// </summary>
    internal static (Tensor Vocabulary, Tensor? Positions) ReadEmbeddings(ModelProfile profile, int encoder = 0)
    {
        var (vocabulary, positions) = profile.Encoders[encoder].ReadEmbeddings();
        return (vocabulary, positions is null ? null : PositionReadability.Places(positions));
    }

    private static double Angle(Tensor a, Tensor b) =>
        2 * Math.Atan2((a - b).norm().item<float>(), (a + b).norm().item<float>()) * (180 / Math.PI);
}
