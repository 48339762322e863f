using Dti.Engine.Models;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Tests.Families.TinyDit;

/// <summary>
/// A diffusion transformer of one block: self-attention, attention to the prompt where its mask allows, and a
/// feed-forward layer, modulated by time.
/// </summary>
internal sealed class TinyTransformer(WeightScope weights)
{
    public const int Factor = 4;
    public const int Channels = 3 * Factor * Factor;
    public const int Width = 32;
    private const int Heads = 2;

    private readonly Linear _in = new(weights.Sub("proj_in"), Channels, Width);
    private readonly Linear _time = new(weights.Sub("time"), Width, 2 * Width);
    private readonly LayerNorm _norm = new(weights.Sub("norm"), Width);
    private readonly Linear _qkv = new(weights.Sub("qkv"), Width, 3 * Width);
    private readonly Linear _query = new(weights.Sub("to_q"), Width, Width);
    private readonly Linear _keyValue = new(weights.Sub("to_kv"), TinyTextModel.Width, 2 * Width);
    private readonly FeedForward _mlp = new(weights.Sub("mlp"), Width, 2 * Width, Activation.Gelu);
    private readonly Linear _out = new(weights.Sub("proj_out"), Width, Channels);

    /// <param name="sample">(B, C, h, w), or (1, C, h, w) for all B prompts.</param>
    /// <param name="times">(B) or (1), σ·1000.</param>
    /// <param name="states">(B, L, d)</param>
    /// <param name="mask">(B, L)</param>
    public Tensor Forward(Tensor sample, Tensor times, Tensor states, Tensor mask)
    {
        using var scope = NewDisposeScope();
        var batch = states.shape[0];
        var x = _in.Forward(sample.expand(batch, -1, -1, -1).flatten(2).transpose(1, 2)); // (B, hw, D)
        var frequencies = (arange(Width / 2, ScalarType.Float32) * (-Math.Log(1000) / (Width / 2))).exp();
        var angles = times.to(ScalarType.Float32).view(-1, 1) * frequencies;
        var modulation = _time.Forward(cat([angles.cos(), angles.sin()], -1)).unsqueeze(1).chunk(2, -1);
        x = (_norm.Forward(x) * (1 + modulation[0])) + modulation[1];
        var self = _qkv.Forward(x).chunk(3, -1);
        x = x + MultiHead.Attend(self[0].contiguous(), self[1].contiguous(), self[2].contiguous(), Heads);
        var prompt = _keyValue.Forward(states).chunk(2, -1);
        var scores = F.scaled_dot_product_attention(
            MultiHead.Split(_query.Forward(x), Heads),
            MultiHead.Split(prompt[0], Heads),
            MultiHead.Split(prompt[1], Heads),
            mask.to(ScalarType.Bool).view(batch, 1, 1, -1)
        );
        x = x + scores.transpose(1, 2).flatten(2);
        x = x + _mlp.Forward(x);
        return _out.Forward(x)
            .transpose(1, 2)
            .view(batch, Channels, sample.shape[2], sample.shape[3])
            .MoveToOuterDisposeScope();
    }
}
