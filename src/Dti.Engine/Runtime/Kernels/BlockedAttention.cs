using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Runtime.Kernels;

/// <summary>
/// Attention on a CPU, some rows of queries at a time, so that their scores stay near the processor. The products are
/// oneDNN's, which libtorch's own attention multiplies without: it takes as long in bf16 as in fp32.
/// </summary>
internal sealed class BlockedAttention : autograd.SingleTensorFunction<BlockedAttention>
{
    // of scores. From 4 MiB on the products are fast; of 16 and more, each block's memory is mapped again at every use
    private const long BlockBytes = 8 << 20;
    private const string Shapes = "shapes";
    private const string HeadCount = "heads";
    private const long MinScores = 1 << 20; // of one head, in fp32

    /// <inheritdoc/>
    public override string Name => nameof(BlockedAttention);

    /// <summary>
    /// Whether it is faster than libtorch's. In bf16 it is at every size that models have, there and back; in fp32,
    /// where each head is a call of its own, from 1024 × 1024 scores on, and there alone, on a processor with all of
    /// AVX-512.
    /// </summary>
    /// <param name="q">(B, L, heads·d)</param>
    /// <param name="k">(B, S, heads·d)</param>
    /// <param name="v">(B, S, heads·d)</param>
    public static bool IsBeneficial(Tensor q, Tensor k, Tensor v) =>
        q.device_type == TorchSharp.DeviceType.CPU
        && OneDnn.Supports(q.dtype)
        && (
            q.dtype == ScalarType.BFloat16
            || (Processor.HasWholeAvx512 && q.shape[1] * k.shape[1] >= MinScores && !WantsGraph(q, k, v))
        );

    /// <summary>softmax(q kᵀ/√d) v for each head, with a graph where one is wanted (bf16 only).</summary>
    /// <inheritdoc cref="Compute"/>
    public static Tensor Attend(Tensor q, Tensor k, Tensor v, long heads)
    {
        if (!WantsGraph(q, k, v))
        {
            return Compute(q, k, v, heads);
        }

        using var scope = NewDisposeScope(); // TorchSharp makes a tensor like each result and never uses it
        return apply(q, k, v, heads).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext ctx, params object[] vars)
    {
        var (q, k, v, heads) = ((Tensor)vars[0], (Tensor)vars[1], (Tensor)vars[2], (long)vars[3]);
        ctx.save_for_backward([q, k, v]);
        ctx.save_data(Shapes, new[] { q.shape, k.shape, v.shape });
        ctx.save_data(HeadCount, heads);
        return Compute(q, k, v, heads);
    }

    /// <summary>
    /// The weights are computed once more, block by block, so that all of them are never there at once (arXiv
    /// 2205.14135).
    /// </summary>
    public override List<Tensor> backward(autograd.AutogradContext ctx, Tensor grad_output)
    {
        using (grad_output)
        {
            return AutogradBridge.Return(
                () =>
                {
                    using var scope = NewDisposeScope();
                    var saved = ctx.get_saved_variables();
                    var gradients = Gradients(saved[0], saved[1], saved[2], grad_output, (long)ctx.get_data(HeadCount));
                    return [.. gradients.Select(gradient => gradient.MoveToOuterDisposeScope())];
                },
                grad_output.dtype,
                (long[][])ctx.get_data(Shapes),
                otherArguments: 1
            );
        }
    }

    /// <summary>softmax(q kᵀ/√d) v for each head. No graph.</summary>
    /// <param name="q">(B, L, heads·d), fp32 or bf16</param>
    /// <param name="k">(B, S, heads·d)</param>
    /// <param name="v">(B, S, heads·d)</param>
    /// <param name="heads">Number of heads.</param>
    /// <returns>(B, L, heads·d)</returns>
    public static Tensor Compute(Tensor q, Tensor k, Tensor v, long heads)
    {
        using var scope = NewDisposeScope();
        var result = empty_like(q);
        var scale = 1 / Math.Sqrt(q.shape[2] / heads);
        var (queries, keys, values) = (
            MultiHead.Split(q * scale, heads).contiguous(),
            MultiHead.Split(k, heads).contiguous(),
            MultiHead.Split(v, heads).contiguous()
        );
        var into = MultiHead.Split(result, heads);
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
                    Single(
                        queries[batch, head],
                        keys[batch, head],
                        values[batch, head].t().contiguous(),
                        into[batch, head]
                    );
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

    /// <summary>One head, of one image: in fp32 only linear layers are oneDNN's.</summary>
    private static void Single(Tensor q, Tensor k, Tensor vt, Tensor into)
    {
        foreach (var (row, rows) in Blocks(q.shape[0], BlockBytes / (k.shape[0] * sizeof(float))))
        {
            using var scope = NewDisposeScope();
            var weights = F.softmax(OneDnn.Linear(q.narrow(0, row, rows), k, null), -1);
            into.narrow(0, row, rows).copy_(OneDnn.Linear(weights, vt, null));
        }
    }

    /// <summary>Of q, k and v, in bf16; sums over blocks in fp32.</summary>
    private static Tensor[] Gradients(Tensor q, Tensor k, Tensor v, Tensor gradient, long heads)
    {
        var scale = 1 / Math.Sqrt(q.shape[2] / heads);
        Tensor Flat(Tensor x) => MultiHead.Split(x, heads).contiguous().flatten(0, 1); // (B·heads, L, d)
        Tensor Whole(Tensor x) => x.unflatten(0, q.shape[0], heads).transpose(1, 2).flatten(2).to(q.dtype);
        var (queries, keys, values, g) = (Flat(q * scale), Flat(k), Flat(v), Flat(gradient));
        var (kt, vt) = (keys.transpose(1, 2), values.transpose(1, 2));
        var (dq, dk, dv) = (
            empty_like(queries),
            zeros(kt.shape, ScalarType.Float32),
            zeros(vt.shape, ScalarType.Float32)
        );
        foreach (
            var (row, rows) in Blocks(queries.shape[1], BlockBytes / (queries.shape[0] * keys.shape[1] * sizeof(short)))
        )
        {
            using var scope = NewDisposeScope();
            var (block, gBlock) = (queries.narrow(1, row, rows), g.narrow(1, row, rows));
            var weights = F.softmax(bmm(block, kt), -1);
            var scores = OneDnn.SoftmaxBackward(bmm(gBlock, vt), weights);
            dq.narrow(1, row, rows).copy_(bmm(scores, keys) * scale);
            // transposed: of the two, the small factor is turned round
            dk.add_(bmm(block.transpose(1, 2).contiguous(), scores));
            dv.add_(bmm(gBlock.transpose(1, 2).contiguous(), weights));
        }

        return [Whole(dq), Whole(dk.transpose(1, 2)), Whole(dv.transpose(1, 2))];
    }

    private static bool WantsGraph(Tensor q, Tensor k, Tensor v) =>
        is_grad_enabled() && (q.requires_grad || k.requires_grad || v.requires_grad);

    private static IEnumerable<(long Row, long Rows)> Blocks(long length, long most)
    {
        most = Math.Max(1, most);
        for (var row = 0L; row < length; row += most)
        {
            yield return (row, Math.Min(most, length - row));
        }
    }
}
