using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Runtime.Kernels;

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
    public static Tensor Attend(Tensor q, Tensor k, Tensor v, long heads, bool causal = false)
    {
        using var section = StepProfile.Of(StepWork.Attention);
        return !causal && BlockedAttention.IsBeneficial(q, k, v)
            ? BlockedAttention.Attend(q, k, v, heads)
            : F.scaled_dot_product_attention(Split(q, heads), Split(k, heads), Split(v, heads), is_casual: causal)
                .transpose(1, 2)
                .flatten(2);
    }

    /// <summary>(B, L, heads·d) to (B, heads, L, d), a view.</summary>
    public static Tensor Split(Tensor x, long heads) => x.unflatten(2, heads, -1).transpose(1, 2);
}
