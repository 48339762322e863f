using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>The conditioning of a batch of prompts. Owns its tensors.</summary>
/// <param name="States">(B, L, d): the hidden states of the text encoders.</param>
/// <param name="Mask">(B, L), 1 where a state counts; null: all do.</param>
/// <param name="Pooled">(B, p): each prompt as one vector; null: the family has none.</param>
/// <param name="Sizes">
/// (B, 6) fp32: height and width of the image as it came, top and left of its crop, height and width that are wanted;
/// null: not said. Families that are not conditioned on sizes ignore it.
/// </param>
public sealed record Conditioning(Tensor States, Tensor? Mask = null, Tensor? Pooled = null, Tensor? Sizes = null)
    : IDisposable
{
    private IEnumerable<Tensor> All => new[] { States, Mask, Pooled, Sizes }.OfType<Tensor>();

    /// <summary>
    /// One batch after the other. They have as many states, or a mask: then zeros that do not count fill up the shorter
    /// one.
    /// </summary>
    public static Conditioning Cat(Conditioning first, Conditioning second)
    {
        ArgumentNullException.ThrowIfNull(first);
        ArgumentNullException.ThrowIfNull(second);
        var length = Math.Max(first.States.shape[1], second.States.shape[1]);
        return new(
            cat([Filled(first.States), Filled(second.States)]),
            first.Mask is null || second.Mask is null ? null : cat([Filled(first.Mask), Filled(second.Mask)]),
            Both(first.Pooled, second.Pooled),
            Both(first.Sizes, second.Sizes)
        );

        Tensor Filled(Tensor rows)
        {
            var missing = (long[])rows.shape.Clone();
            missing[1] = length - missing[1];
            return missing[1] == 0 ? rows : cat([rows, zeros(missing, rows.dtype, rows.device)], 1);
        }

        static Tensor? Both(Tensor? a, Tensor? b) => a is null || b is null ? null : cat([a, b]);
    }

    /// <summary>Whether <see cref="Cat"/> can join it with another one.</summary>
    public bool JoinsWith(Conditioning other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return States.shape[1] == other.States.shape[1] || (Mask is not null && other.Mask is not null);
    }

    /// <summary>
    /// What stands for no prompt at all where a model was trained on zeros (diffusers'
    /// <c>force_zeros_for_empty_prompt</c>).
    /// </summary>
    public Conditioning Zeros() =>
        this with
        {
            States = zeros_like(States),
            Pooled = Pooled is null ? null : zeros_like(Pooled),
        };

    /// <summary>Keeps all tensors when the scope ends.</summary>
    public Conditioning DetachFromDisposeScope() => Each(tensor => tensor.DetachFromDisposeScope());

    /// <summary>Gives all tensors to the scope around this one.</summary>
    public Conditioning MoveToOuterDisposeScope() => Each(tensor => tensor.MoveToOuterDisposeScope());

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in All)
        {
            tensor.Dispose();
        }
    }

    private Conditioning Each(Action<Tensor> act)
    {
        foreach (var tensor in All)
        {
            act(tensor);
        }

        return this;
    }
}
