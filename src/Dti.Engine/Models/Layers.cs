using Dti.Engine.Checkpoints;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models;

// The few layers that every model is made of. Each takes its weights by the names that checkpoints use; whoever made the
// weight source owns the tensors.

/// <summary>y = x Wᵀ + b.</summary>
internal sealed class Linear(WeightScope weights, long inFeatures, long outFeatures, bool bias = true)
{
    private readonly Tensor _weight = weights.Take("weight", outFeatures, inFeatures);
    private readonly Tensor? _bias = bias ? weights.Take("bias", outFeatures) : null;

    public Tensor Forward(Tensor x) => F.linear(x, _weight, _bias);
}

/// <summary>Square two-dimensional convolution.</summary>
internal sealed class Conv2d(WeightScope weights, long inChannels, long outChannels, long kernel, long stride = 1, long padding = 0, bool bias = true)
{
    private readonly Tensor _weight = weights.Take("weight", outChannels, inChannels, kernel, kernel);
    private readonly Tensor? _bias = bias ? weights.Take("bias", outChannels) : null;

    public Tensor Forward(Tensor x) => F.conv2d(x, _weight, _bias, [stride, stride], [padding, padding]);
}

/// <summary>Group normalisation over (B, C, H, W).</summary>
internal sealed class GroupNorm(WeightScope weights, long groups, long channels, double eps)
{
    private readonly Tensor _weight = weights.Take("weight", channels);
    private readonly Tensor _bias = weights.Take("bias", channels);

    public Tensor Forward(Tensor x) => F.group_norm(x, groups, _weight, _bias, eps);
}

/// <summary>Layer normalisation over the last axis.</summary>
internal sealed class LayerNorm(WeightScope weights, long width, double eps = 1e-5)
{
    private readonly Tensor _weight = weights.Take("weight", width);
    private readonly Tensor _bias = weights.Take("bias", width);

    public Tensor Forward(Tensor x) => F.layer_norm(x, [width], _weight, _bias, eps);
}

/// <summary>Weights of one element.</summary>
internal static class ScalarWeight
{
    /// <summary>Its value, from whatever device and of whatever floating type.</summary>
    public static double Number(this Tensor weight)
    {
        using var scope = NewDisposeScope();
        return weight.to(ScalarType.Float32).item<float>();
    }
}

/// <summary>Two matrices with an activation between them (transformers' CLIPMLP, SiglipMLP, Dinov2MLP).</summary>
internal sealed class FeedForward(WeightScope weights, int hiddenSize, int intermediateSize, Activation activation)
{
    private readonly Linear _fc1 = new(weights.Sub("fc1"), hiddenSize, intermediateSize);
    private readonly Linear _fc2 = new(weights.Sub("fc2"), intermediateSize, hiddenSize);

    public Tensor Forward(Tensor x) => _fc2.Forward(activation.Apply(_fc1.Forward(x)));
}

/// <summary>Scaled dot-product attention over several heads.</summary>
internal static class MultiHead
{
    /// <summary>softmax(q kᵀ/√d) v for each head.</summary>
    /// <param name="q">(B, L, heads·d)</param>
    /// <param name="k">(B, S, heads·d)</param>
    /// <param name="v">(B, S, heads·d)</param>
    /// <param name="heads">Number of heads.</param>
    /// <param name="causal">Each position sees only itself and those before.</param>
    /// <returns>(B, L, heads·d)</returns>
    public static Tensor Attend(Tensor q, Tensor k, Tensor v, long heads, bool causal = false) =>
        F.scaled_dot_product_attention(Split(q, heads), Split(k, heads), Split(v, heads), is_casual: causal)
            .transpose(1, 2)
            .flatten(2);

    private static Tensor Split(Tensor x, long heads) => x.unflatten(2, heads, -1).transpose(1, 2); // (B, heads, L, d)
}
