using Dti.Engine.Concepts;
using Dti.Engine.Models;
using static TorchSharp.torch;

namespace Dti.Engine.Training.Methods;

/// <summary>
/// One way to learn a concept's embedding: where it starts, what moves it, and what is kept at the end. Each text
/// encoder learns by itself.
/// </summary>
internal abstract class LearningMethod
{
    /// <summary>η where none is asked for.</summary>
    public abstract double DefaultLearningRate { get; }

    /// <summary>Whether directions move on the unit sphere, so that κ and β mean something.</summary>
    public virtual bool OnSphere => false;

    /// <summary>The way of that name.</summary>
    /// <exception cref="DtiException">There is none.</exception>
    public static LearningMethod Of(TrainingMethod method) =>
        method switch
        {
            TrainingMethod.TextualInversion => new TextualInversion(),
            TrainingMethod.Rescaled => new RescaledTextualInversion(),
            TrainingMethod.Renormalized => new RenormalizedTextualInversion(pull: 1),
            TrainingMethod.SoftlyRenormalized => new RenormalizedTextualInversion(pull: 0.1),
            TrainingMethod.CrossInit => new CrossInitialization(),
            TrainingMethod.Directional => new DirectionalTextualInversion(),
            _ => throw new DtiException(
                ErrorKind.InvalidArgument,
                $"method {(int)method} is unknown; it must be one of {string.Join(", ", Enum.GetNames<TrainingMethod>())}.",
                "method"
            ),
        };

    /// <summary>
    /// What the embedding starts from, (n, d): the token embeddings of the initial word, unless a method knows better.
    /// </summary>
    /// <param name="model">The model.</param>
    /// <param name="encoder">Which text encoder.</param>
    /// <param name="initializer">The initial word or phrase.</param>
    /// <param name="count">n; where the phrase has fewer tokens, the last one is repeated.</param>
    public virtual Tensor Start(IDiffusionModel model, int encoder, string initializer, int count)
    {
        using var scope = NewDisposeScope();
        var vocabulary = model.TextEncoders[encoder].TokenEmbedding;
        var ids = model.Profile.Encoders[encoder].Tokenizer.Encode(initializer).Select(id => (long)id).ToArray();
        return vocabulary
            .index_select(
                0,
                tensor(Tokens(ids.Length, count).Select(token => ids[token]).ToArray()).to(vocabulary.device)
            )
            .MoveToOuterDisposeScope();
    }

    /// <summary>The parameter of a run.</summary>
    /// <param name="start">(n, d), what <see cref="Start"/> gave, or the vectors of a concept.</param>
    /// <param name="magnitude">m.</param>
    /// <param name="toward">(n, d) embeddings whose directions are μ; null: the start.</param>
    public abstract TrainableEmbedding Embedding(Tensor start, double magnitude, Tensor? toward = null);

    /// <summary>What moves it.</summary>
    /// <param name="embedding">What <see cref="Embedding"/> gave.</param>
    /// <param name="magnitude">m.</param>
    /// <param name="settings">The run's settings.</param>
    public abstract IEmbeddingOptimizer Optimizer(
        TrainableEmbedding embedding,
        double magnitude,
        TrainingSettings settings
    );

    /// <summary>What previews show and the concept keeps.</summary>
    /// <param name="embedding">The embedding as it is now.</param>
    /// <param name="magnitude">m.</param>
    public virtual DirectionalVectors Result(TrainableEmbedding embedding, double magnitude) => embedding.ToVectors();

    /// <summary>Which token of a phrase each vector starts from.</summary>
    protected static IEnumerable<int> Tokens(int tokens, int vectors) =>
        Enumerable.Range(0, vectors).Select(i => Math.Min(i, tokens - 1));
}
