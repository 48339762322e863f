using Dti.Engine.Runtime;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>
/// Gemma 2 (arXiv 2408.00118; transformers' Gemma2Model), a causal transformer whose layers alternate between a sliding window
/// and full attention. Rows of learnt concepts are passed separately from the vocabulary, so that no gradient is ever
/// built for the vocabulary itself.
/// </summary>
internal sealed class Gemma2Model : ITextEncoder
{
    private readonly Gemma2Config _config;
    private readonly int _padTokenId;
    private readonly GemmaLayer[] _layers;
    private readonly GemmaNorm _norm;
    private readonly Tensor _vocabulary; // (V, d), as it is held

    /// <param name="config">The settings.</param>
    /// <param name="weights">The weights.</param>
    /// <param name="padTokenId">The id of padding, to which nothing attends.</param>
    public Gemma2Model(Gemma2Config config, WeightScope weights, int padTokenId = 0)
    {
        (_config, _padTokenId) = (config, padTokenId);
        _vocabulary = weights.Sub("embed_tokens").TakeHeld("weight", config.VocabSize, config.HiddenSize);
        var layers = weights.Sub("layers");
        _layers =
        [
            .. Enumerable.Range(0, config.NumHiddenLayers).Select(i => new GemmaLayer(config, layers.Sub(i), i)),
        ];
        _norm = new GemmaNorm(weights.Sub("norm"), config.HiddenSize, config.RmsNormEps);
    }

    /// <inheritdoc/>
    public Tensor TokenEmbedding => _vocabulary;

    /// <inheritdoc/>
    public Tensor LastHiddenState(Tensor inputIds, Tensor? conceptRows = null) => Forward(inputIds, conceptRows);

    /// <summary>
    /// Which ids of a row are not padding: those from its first to its last id that is not the padding id. (B, L) bool, on the
    /// CPU.
    /// </summary>
    public Tensor Mask(Tensor inputIds)
    {
        using var scope = NewDisposeScope();
        var text = inputIds.cpu().ne(_padTokenId).to(ScalarType.Int32);
        return (text.cumsum(1).gt(0) & text.flip(1).cumsum(1).flip(1).gt(0)).MoveToOuterDisposeScope();
    }

    /// <summary>Encodes prompts.</summary>
    /// <param name="inputIds">(B, L) int64; ids from V on are rows of <paramref name="conceptRows"/>.</param>
    /// <param name="conceptRows">(r, d) embeddings e = m·v of placeholder tokens V, V+1, …; null: none.</param>
    /// <param name="mask">(B, L) bool, what <see cref="Mask"/> gave; null: it is computed.</param>
    /// <param name="checkpoints">Of activations, in training; null: none.</param>
    /// <param name="states">Takes the embeddings, each layer's result, and the result; null: nothing.</param>
    /// <returns>(B, L, d), after the final norm.</returns>
    public Tensor Forward(
        Tensor inputIds,
        Tensor? conceptRows = null,
        Tensor? mask = null,
        ActivationCheckpoints? checkpoints = null,
        ICollection<Tensor>? states = null
    )
    {
        using var scope = NewDisposeScope();
        using var section = StepProfile.In(StepPart.TextEncoder);
        var hidden = checkpoints.Cut(Embed(inputIds, conceptRows));
        var device = inputIds.device;
        var (length, visible) = (inputIds.shape[1], (mask ?? Mask(inputIds)).to(device));
        var distance = arange(length, device: device).unsqueeze(1) - arange(length, device: device); // (L, L)
        var causal = distance.ge(0) & visible.unsqueeze(1); // (B, L, L)
        var sliding = length > _config.SlidingWindow ? causal & distance.lt(_config.SlidingWindow) : causal;
        var angles = Angles(length, device);
        var (cos, sin) = (angles.cos().to(hidden.dtype), angles.sin().to(hidden.dtype));
        states?.Add(hidden.alias().MoveToOuterDisposeScope());
        foreach (var layer in _layers)
        {
            Tensor[] inputs = [hidden, (layer.Slides ? sliding : causal).unsqueeze(1), cos, sin];
            Tensor Run(Tensor[] all) => layer.Forward(all[0], all[1], all[2], all[3]);
            hidden = checkpoints?.Keep(Run, inputs) ?? Run(inputs);
            states?.Add(hidden.alias().MoveToOuterDisposeScope());
        }

        var result = _norm.Forward(hidden);
        states?.Add(result.alias().MoveToOuterDisposeScope());
        return result.MoveToOuterDisposeScope();
    }

    /// <summary>√d times the rows of the tokens, (B, L, d); the factor is rounded to the rows' type first.</summary>
    public Tensor Embed(Tensor inputIds, Tensor? conceptRows)
    {
        using var scope = NewDisposeScope();
        var dtype = _norm.Dtype;
        var tokens = _vocabulary
            .index_select(0, inputIds.clamp(max: _config.VocabSize - 1).flatten())
            .view(inputIds.shape[0], inputIds.shape[1], -1)
            .to(dtype);
        if (conceptRows is not null)
        {
            var row = inputIds - _config.VocabSize;
            var concepts = conceptRows.index_select(0, row.clamp(min: 0).flatten()).view(tokens.shape);
            tokens = where(row.ge(0).unsqueeze(-1), concepts.to(dtype), tokens);
        }

        return (tokens * tensor(Math.Sqrt(_config.HiddenSize)).to(dtype).to(tokens.device)).MoveToOuterDisposeScope();
    }

    /// <summary>Of rotary positions (arXiv 2104.09864), each twice: (L, head width) fp32.</summary>
    private Tensor Angles(long length, Device device)
    {
        var exponents = arange(0, _config.HeadDim, 2, ScalarType.Float32, device) / _config.HeadDim;
        var frequencies = (exponents * -Math.Log(_config.RopeTheta)).exp();
        var angles = arange(length, ScalarType.Float32, device).unsqueeze(1) * frequencies;
        return cat([angles, angles], -1);
    }
}

/// <summary>x/√(mean x² + ε)·(1 + w) over the last axis, in fp32 (transformers' Gemma2RMSNorm).</summary>
internal sealed class GemmaNorm(WeightScope weights, long width, double eps)
{
    private readonly Tensor _weight = weights.Take("weight", width);

    /// <summary>What the model computes in.</summary>
    public ScalarType Dtype => _weight.dtype;

    /// <param name="x">(…, width)</param>
    public Tensor Forward(Tensor x)
    {
        using var section = StepProfile.Of(StepWork.Norm);
        var wide = x.to(ScalarType.Float32);
        return (
            wide * (wide.square().mean([-1L], keepdim: true) + eps).rsqrt() * (1 + _weight.to(ScalarType.Float32))
        ).to(x.dtype);
    }
}

/// <summary>A layer of Gemma 2: attention and a gated layer, each between two norms.</summary>
internal sealed class GemmaLayer(Gemma2Config config, WeightScope weights, int index)
{
    private readonly GemmaNorm _beforeAttention = Norm(config, weights, "input_layernorm");
    private readonly GemmaNorm _afterAttention = Norm(config, weights, "post_attention_layernorm");
    private readonly GemmaNorm _beforeMlp = Norm(config, weights, "pre_feedforward_layernorm");
    private readonly GemmaNorm _afterMlp = Norm(config, weights, "post_feedforward_layernorm");
    private readonly Linear _q = Attention(config, weights, "q_proj", config.NumAttentionHeads);
    private readonly Linear _k = Attention(config, weights, "k_proj", config.NumKeyValueHeads);
    private readonly Linear _v = Attention(config, weights, "v_proj", config.NumKeyValueHeads);
    private readonly Linear _o = new(
        weights.Sub("self_attn").Sub("o_proj"),
        (long)config.NumAttentionHeads * config.HeadDim,
        config.HiddenSize,
        bias: false
    );

    private readonly Linear _gate = Mlp(weights, "gate_proj", config.HiddenSize, config.IntermediateSize);
    private readonly Linear _up = Mlp(weights, "up_proj", config.HiddenSize, config.IntermediateSize);
    private readonly Linear _down = Mlp(weights, "down_proj", config.IntermediateSize, config.HiddenSize);

    /// <summary>Whether it sees a window only.</summary>
    public bool Slides => config.Slides[index];

    /// <param name="x">(B, L, d)</param>
    /// <param name="mask">(B, 1, L, L) bool, which key each query attends to; padding may attend to none.</param>
    /// <param name="cos">(L, head width)</param>
    /// <param name="sin">(L, head width)</param>
    public Tensor Forward(Tensor x, Tensor mask, Tensor cos, Tensor sin)
    {
        using var scope = NewDisposeScope();
        x = x + _afterAttention.Forward(_o.Forward(Attend(_beforeAttention.Forward(x), mask, cos, sin)));
        var h = _beforeMlp.Forward(x);
        var gated = Activation.GeluTanh.Apply(_gate.Forward(h)) * _up.Forward(h);
        return (x + _afterMlp.Forward(_down.Forward(gated))).MoveToOuterDisposeScope();
    }

    private Tensor Attend(Tensor x, Tensor mask, Tensor cos, Tensor sin)
    {
        var shared = config.NumAttentionHeads / config.NumKeyValueHeads;
        var q = Rotated(MultiHead.Split(_q.Forward(x), config.NumAttentionHeads), cos, sin);
        var k = Rotated(MultiHead.Split(_k.Forward(x), config.NumKeyValueHeads), cos, sin);
        var v = MultiHead.Split(_v.Forward(x), config.NumKeyValueHeads);
        (k, v) = (k.repeat_interleave(shared, 1), v.repeat_interleave(shared, 1));
        using var section = StepProfile.Of(StepWork.Attention);
        var result = config.Softcap is { } cap
            ? Capped(q, k, v, mask, cap)
            : F.scaled_dot_product_attention(
                q * Math.Sqrt(config.HeadDim / config.QueryPreAttnScalar), // libtorch divides by √(head width)
                k,
                v,
                mask
            );
        return result.transpose(1, 2).flatten(2);
    }

    private Tensor Capped(Tensor q, Tensor k, Tensor v, Tensor mask, double cap)
    {
        var scores = q.matmul(k.transpose(2, 3)) / Math.Sqrt(config.QueryPreAttnScalar);
        scores = cap * (scores / cap).tanh();
        // added, and not −∞, as in transformers: a row of padding may have no key
        scores = scores.to(ScalarType.Float32) + (mask.logical_not().to(ScalarType.Float32) * float.MinValue);
        return F.softmax(scores, -1).to(q.dtype).matmul(v);
    }

    private static Tensor Rotated(Tensor x, Tensor cos, Tensor sin)
    {
        var halves = x.chunk(2, -1);
        return (x * cos) + (cat([-halves[1], halves[0]], -1) * sin);
    }

    private static GemmaNorm Norm(Gemma2Config config, WeightScope weights, string name) =>
        new(weights.Sub(name), config.HiddenSize, config.RmsNormEps);

    private static Linear Attention(Gemma2Config config, WeightScope weights, string name, int heads) =>
        new(weights.Sub("self_attn").Sub(name), config.HiddenSize, (long)heads * config.HeadDim, bias: false);

    private static Linear Mlp(WeightScope weights, string name, long from, long to) =>
        new(weights.Sub("mlp").Sub(name), from, to, bias: false);
}
