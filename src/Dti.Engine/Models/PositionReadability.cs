using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>
/// How much of what the first attention layer of a text encoder sees still tells where a token stands: the share of the
/// variance after the first layer norm, without its weights, that comes from the position embedding; 0 to 1. It falls
/// as the token's norm grows (arXiv 2512.13672, section 3).
/// </summary>
internal static class PositionReadability
{
    private const int SampledTokens = 512;
    private const int TokenBatchSize = 16; // each at every position: 119 MB for SD 1.5 if all were seen together

    /// <summary>Mean over tokens of the variance over positions of what the first layer norm gives.</summary>
    /// <param name="embeddings">(t, d)</param>
    /// <param name="positions">(p, d), those of <see cref="Places"/>.</param>
    public static double Of(Tensor embeddings, Tensor positions)
    {
        using var scope = NewDisposeScope();
        // (t, p, d), variance 1 over d
        var seen = nn.functional.layer_norm(embeddings.unsqueeze(1) + positions, [positions.shape[1]]);
        return seen.var(1, unbiased: false).mean().item<float>();
    }

    /// <summary>The mean for tokens from all over a vocabulary.</summary>
    /// <param name="vocabulary">(V, d)</param>
    /// <param name="positions">(77, d), all of them.</param>
    public static double Typical(Tensor vocabulary, Tensor positions)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var tokens = vocabulary.norm(1, keepdim: false, p: 2f).gt(0).nonzero().flatten();
        tokens = tokens[arange(0, tokens.shape[0], Math.Max(1, tokens.shape[0] / SampledTokens))];
        return tokens
                .split(TokenBatchSize)
                .Sum(some => Of(vocabulary.index_select(0, some), Places(positions)) * some.shape[0]) / tokens.shape[0];
    }

    /// <summary>
    /// The position embeddings that words can have: all but the first, which is always the start of text.
    /// </summary>
    /// <param name="positions">(p, d)</param>
    public static Tensor Places(Tensor positions) => positions[TensorIndex.Slice(1)];
}
