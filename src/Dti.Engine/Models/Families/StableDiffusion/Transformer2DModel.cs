using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>
/// Transformer blocks over the pixels of a feature map, attending to the prompt (diffusers' Transformer2DModel).
/// </summary>
internal sealed class Transformer2DModel
{
    private readonly GroupNorm _norm;
    private readonly bool _useLinearProjection;
    private readonly ILayer _projIn;
    private readonly BasicTransformerBlock[] _transformerBlocks;
    private readonly ILayer _projOut;

    /// <param name="weights">The model's weights.</param>
    /// <param name="channels">Channels C of the feature map.</param>
    /// <param name="heads">Attention heads; C is their total width.</param>
    /// <param name="depth">Transformer blocks.</param>
    /// <param name="crossAttentionDim">Width of the prompt's hidden states.</param>
    /// <param name="groups">Groups of the norm.</param>
    /// <param name="useLinearProjection">Project with linear layers instead of 1×1 convolutions.</param>
    public Transformer2DModel(
        WeightScope weights,
        long channels,
        long heads,
        int depth,
        long crossAttentionDim,
        long groups,
        bool useLinearProjection
    )
    {
        _norm = new GroupNorm(weights.Sub("norm"), groups, channels, 1e-6);
        _useLinearProjection = useLinearProjection;
        _projIn = Projection("proj_in");
        _projOut = Projection("proj_out");
        var blocks = weights.Sub("transformer_blocks");
        _transformerBlocks =
        [
            .. Enumerable
                .Range(0, depth)
                .Select(i => new BasicTransformerBlock(blocks.Sub(i), channels, heads, crossAttentionDim)),
        ];

        ILayer Projection(string name) =>
            useLinearProjection
                ? new Linear(weights.Sub(name), channels, channels)
                : new Conv2d(weights.Sub(name), channels, channels, 1);
    }

    /// <param name="x">(B, C, H, W), or (1, C, H, W) for all B prompts.</param>
    /// <param name="encoderHiddenStates">(B, 77, crossAttentionDim)</param>
    /// <param name="checkpoints">Of activations, in training; null: none.</param>
    /// <param name="keys">Keys and values of the prompt, in sampling; null: they are made.</param>
    public Tensor Forward(
        Tensor x,
        Tensor encoderHiddenStates,
        ActivationCheckpoints? checkpoints = null,
        PromptKeys? keys = null
    )
    {
        using var scope = NewDisposeScope();
        var h = checkpoints.Run(map => ProjectIn(_norm.Forward(map)), x);
        foreach (var block in _transformerBlocks)
        {
            h = checkpoints.Run((tokens, states) => block.Forward(tokens, states, keys), h, encoderHiddenStates);
        }

        return checkpoints
            .Run((tokens, map) => ProjectOut(tokens, map.shape[2], map.shape[3]) + map, h, x)
            .MoveToOuterDisposeScope();
    }

    // (B, C, H, W) -> (B, HW, C)
    private Tensor ProjectIn(Tensor map) =>
        _useLinearProjection ? _projIn.Forward(ToTokens(map)) : ToTokens(_projIn.Forward(map));

    // (B, HW, C) -> (B, C, H, W)
    private Tensor ProjectOut(Tensor tokens, long height, long width) =>
        _useLinearProjection
            ? ToMap(_projOut.Forward(tokens), height, width)
            : _projOut.Forward(ToMap(tokens, height, width));

    private static Tensor ToTokens(Tensor x) => x.flatten(2).transpose(1, 2);

    // channels-last
    private static Tensor ToMap(Tensor x, long height, long width) => x.transpose(1, 2).unflatten(2, height, width);
}

/// <summary>Self-attention, cross-attention and a gated feed-forward layer, each pre-norm and residual.</summary>
internal sealed class BasicTransformerBlock(WeightScope weights, long channels, long heads, long crossAttentionDim)
{
    private readonly LayerNorm _norm1 = new(weights.Sub("norm1"), channels);
    private readonly Attention _attn1 = new(weights.Sub("attn1"), channels, heads, channels);
    private readonly LayerNorm _norm2 = new(weights.Sub("norm2"), channels);
    private readonly Attention _attn2 = new(weights.Sub("attn2"), channels, heads, crossAttentionDim);
    private readonly LayerNorm _norm3 = new(weights.Sub("norm3"), channels);
    private readonly Linear _gegluProj = new(weights.Sub("ff.net.0.proj"), channels, 8 * channels);
    private readonly Linear _ffOut = new(weights.Sub("ff.net.2"), 4 * channels, channels);

    public Tensor Forward(Tensor x, Tensor encoderHiddenStates, PromptKeys? keys)
    {
        using var scope = NewDisposeScope();
        var h = _norm1.Forward(x);
        x = x + _attn1.Forward(h, h);
        x = x + _attn2.Forward(_norm2.Forward(x), encoderHiddenStates, keys);
        var gated = _gegluProj.Forward(_norm3.Forward(x)).chunk(2, -1);
        return (x + _ffOut.Forward(gated[0] * F.gelu(gated[1]))).MoveToOuterDisposeScope();
    }
}

/// <summary>Multi-head attention without biases on q, k and v (diffusers' Attention).</summary>
internal sealed class Attention(WeightScope weights, long channels, long heads, long contextDim)
{
    private readonly Linear _toQ = new(weights.Sub("to_q"), channels, channels, bias: false);
    private readonly Linear _toK = new(weights.Sub("to_k"), contextDim, channels, bias: false);
    private readonly Linear _toV = new(weights.Sub("to_v"), contextDim, channels, bias: false);
    private readonly Linear _toOut = new(weights.Sub("to_out.0"), channels, channels);

    /// <param name="x">(B, L, channels), or (1, L, channels) for all B contexts.</param>
    /// <param name="context">(B, S, contextDim): <paramref name="x"/> itself, or the prompt's states.</param>
    /// <param name="kept">Keys and values of the prompt; null: they are made.</param>
    /// <returns>(B, L, channels)</returns>
    public Tensor Forward(Tensor x, Tensor context, PromptKeys? kept = null)
    {
        var (keys, values) = kept?.Of(this, () => KeysAndValues(context)) ?? KeysAndValues(context);
        var queries = _toQ.Forward(x);
        return _toOut.Forward(MultiHead.Attend(queries.expand(keys.shape[0], -1, -1), keys, values, heads));
    }

    /// <param name="context">(B, S, contextDim)</param>
    /// <returns>(B, S, channels) each</returns>
    public (Tensor Keys, Tensor Values) KeysAndValues(Tensor context) => (_toK.Forward(context), _toV.Forward(context));
}
