using Dti.Engine.Runtime;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models;

/// <summary>
/// Attention on a CPU, some rows of queries at a time, so that their scores stay near the processor. The products are oneDNN's, which
/// libtorch's own attention multiplies without: it takes as long in bf16 as in fp32. No graph.
/// </summary>
internal static class BlockedAttention
{
    private const long BlockBytes = 8 << 20; // of scores. From 4 MiB on the products are fast; of 16 and more, each block's memory is mapped anew
    private const long LeastScores = 1 << 20; // of one head, in fp32

    /// <summary>
    /// Whether it is faster than libtorch's, and there is no graph to be made. In bf16 it is at every size that models have; in fp32, where
    /// each head is a call of its own, from 1024 × 1024 scores on.
    /// </summary>
    /// <param name="q">(B, L, heads·d)</param>
    /// <param name="k">(B, S, heads·d)</param>
    /// <param name="v">(B, S, heads·d)</param>
    public static bool Pays(Tensor q, Tensor k, Tensor v) =>
        q.device_type == TorchSharp.DeviceType.CPU
        && OneDnn.Supports(q.dtype)
        && (q.dtype == ScalarType.BFloat16 || q.shape[1] * k.shape[1] >= LeastScores)
        && !(is_grad_enabled() && (q.requires_grad || k.requires_grad || v.requires_grad));

    /// <summary>softmax(q kᵀ/√d) v for each head.</summary>
    /// <param name="q">(B, L, heads·d), fp32 or bf16</param>
    /// <param name="k">(B, S, heads·d)</param>
    /// <param name="v">(B, S, heads·d)</param>
    /// <param name="heads">Number of heads.</param>
    /// <returns>(B, L, heads·d)</returns>
    public static Tensor Attend(Tensor q, Tensor k, Tensor v, long heads)
    {
        using var scope = NewDisposeScope();
        var result = empty_like(q);
        var scale = 1 / Math.Sqrt(q.shape[2] / heads);
        var (queries, keys, values) = (Heads(q * scale, heads).contiguous(), Heads(k, heads).contiguous(), Heads(v, heads).contiguous());
        var into = Heads(result, heads);
        if (q.dtype == ScalarType.BFloat16)
        {
            Batched(queries.flatten(0, 1), keys.flatten(0, 1).transpose(1, 2), values.flatten(0, 1), into);
        }
        else
        {
            for (var batch = 0; batch < q.shape[0]; batch++)
            {
                for (var head = 0; head < heads; head++)
                {
                    Single(queries[batch, head], keys[batch, head], values[batch, head].t().contiguous(), into[batch, head]);
                }
            }
        }

        return result.MoveToOuterDisposeScope();
    }

    /// <summary>All heads at once: libtorch gives batched products to oneDNN in bf16.</summary>
    private static void Batched(Tensor q, Tensor kt, Tensor v, Tensor into)
    {
        foreach (var (row, rows) in Blocks(q.shape[1], BlockBytes / (q.shape[0] * kt.shape[2] * sizeof(short))))
        {
            using var scope = NewDisposeScope();
            var weights = F.softmax(bmm(q.narrow(1, row, rows), kt), -1);
            into.narrow(2, row, rows).copy_(bmm(weights, v).view(into.shape[0], into.shape[1], rows, into.shape[3]));
        }
    }

    /// <summary>One head, of one picture: in fp32 only linear layers are oneDNN's.</summary>
    private static void Single(Tensor q, Tensor k, Tensor vt, Tensor into)
    {
        foreach (var (row, rows) in Blocks(q.shape[0], BlockBytes / (k.shape[0] * sizeof(float))))
        {
            using var scope = NewDisposeScope();
            var weights = F.softmax(OneDnn.Linear(q.narrow(0, row, rows), k, null), -1);
            into.narrow(0, row, rows).copy_(OneDnn.Linear(weights, vt, null));
        }
    }

    private static IEnumerable<(long Row, long Rows)> Blocks(long length, long most)
    {
        most = Math.Max(1, most);
        for (var row = 0L; row < length; row += most)
        {
            yield return (row, Math.Min(most, length - row));
        }
    }

    private static Tensor Heads(Tensor x, long heads) => x.unflatten(2, heads, -1).transpose(1, 2); // (B, heads, L, d)
}
