using Dti.Engine.Runtime;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>What a text encoder says of a batch of prompts.</summary>
/// <param name="LastHiddenState">(B, 77, d), of the last layer in use, after the final layer norm: what the UNets of
/// Stable Diffusion 1.x and 2.x attend to.</param>
/// <param name="PenultimateHiddenState">(B, 77, d), before the last layer, without the final norm.</param>
/// <param name="PooledOutput">(B, d), the last layer's state at the end of text, after the final norm.</param>
/// <param name="TextEmbeds">(B, p), the pooled output projected; null where the encoder has no projection.</param>
internal sealed record ClipTextOutput(
    Tensor LastHiddenState,
    Tensor PenultimateHiddenState,
    Tensor PooledOutput,
    Tensor? TextEmbeds
);

/// <summary>
/// The text encoder of CLIP (arXiv 2103.00020; transformers' CLIPTextModel): a causal pre-norm transformer. Rows of
/// learnt concepts are passed separately from the vocabulary, so that no gradient is ever built for the vocabulary
/// itself.
/// </summary>
internal sealed class ClipTextModel : ITextEncoder
{
    private readonly ClipTextConfig _config;
    private readonly Tensor _positionEmbedding; // (77, d)
    private readonly ClipEncoderLayer[] _layers;
    private readonly LayerNorm _finalLayerNorm;
    private readonly Linear? _textProjection;

    public ClipTextModel(ClipTextConfig config, WeightScope weights)
    {
        _config = config;
        var model = weights.Sub("text_model");
        var embeddings = model.Sub("embeddings");
        TokenEmbedding = embeddings.Sub("token_embedding").Take("weight", config.VocabSize, config.HiddenSize);
        _positionEmbedding = embeddings
            .Sub("position_embedding")
            .Take("weight", config.MaxPositionEmbeddings, config.HiddenSize);
        _layers = ClipEncoderLayer.Stack(config.Transformer, model.Sub("encoder").Sub("layers"), causal: true);
        _finalLayerNorm = new LayerNorm(model.Sub("final_layer_norm"), config.HiddenSize, config.LayerNormEps);
        _textProjection =
            config.ProjectionDim > 0
                ? new Linear(weights.Sub("text_projection"), config.HiddenSize, config.ProjectionDim, bias: false)
                : null;
    }

    /// <summary>The vocabulary: (V, d).</summary>
    public Tensor TokenEmbedding { get; }

    /// <inheritdoc/>
    public Tensor LastHiddenState(Tensor inputIds, Tensor? conceptRows = null) =>
        Forward(inputIds, conceptRows).LastHiddenState;

    /// <summary>Encodes prompts.</summary>
    /// <param name="inputIds">(B, 77) int64; ids from V on are rows of <paramref name="conceptRows"/>.</param>
    /// <param name="conceptRows">(r, d) embeddings e = m·v of placeholder tokens V, V+1, …; null: none.</param>
    /// <param name="clipSkip">The last layer in use, counted from the end: 1 is the last one (A1111's "clip
    /// skip").</param>
    /// <param name="checkpoints">Of activations, in training; null: none.</param>
    public ClipTextOutput Forward(
        Tensor inputIds,
        Tensor? conceptRows = null,
        int clipSkip = 1,
        ActivationCheckpoints? checkpoints = null
    )
    {
        using var scope = NewDisposeScope();
        using var section = StepProfile.In(StepPart.TextEncoder);
        var hidden = checkpoints.Cut(Embed(inputIds, conceptRows));
        var (penultimate, used) = (hidden, hidden);
        for (var i = 0; i < _layers.Length; i++)
        {
            penultimate = hidden;
            hidden = checkpoints.Run(_layers[i].Forward, hidden);
            used = i == _layers.Length - clipSkip ? hidden : used;
        }

        var end = _finalLayerNorm.Forward(hidden);
        var last = clipSkip == 1 ? end : _finalLayerNorm.Forward(used);
        var pooled = end[arange(end.shape[0], device: end.device), EndOfText(inputIds)];
        var projected = _textProjection?.Forward(pooled);
        return new ClipTextOutput(
            last.MoveToOuterDisposeScope(),
            penultimate.MoveToOuterDisposeScope(),
            pooled.MoveToOuterDisposeScope(),
            projected?.MoveToOuterDisposeScope()
        );
    }

    /// <summary>Token plus position embeddings, (B, 77, d).</summary>
    public Tensor Embed(Tensor inputIds, Tensor? conceptRows)
    {
        using var scope = NewDisposeScope();
        var tokens = TokenEmbedding
            .index_select(0, inputIds.clamp(max: _config.VocabSize - 1).flatten())
            .view(inputIds.shape[0], inputIds.shape[1], -1);
        if (conceptRows is not null)
        {
            var row = inputIds - _config.VocabSize;
            var concepts = conceptRows.index_select(0, row.clamp(min: 0).flatten()).view(tokens.shape);
            tokens = where(row.ge(0).unsqueeze(-1), concepts.to(tokens.dtype), tokens);
        }

        return (tokens + _positionEmbedding[TensorIndex.Slice(0, inputIds.shape[1])]).MoveToOuterDisposeScope();
    }

    private Tensor EndOfText(Tensor inputIds) =>
        _config.EosTokenId == 2 ? inputIds.argmax(-1) : inputIds.eq(_config.EosTokenId).to(ScalarType.Int32).argmax(-1);
}
