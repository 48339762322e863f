using static TorchSharp.torch;

namespace Dti.Engine.Models;

/// <summary>What a UNet is told of a batch of prompts.</summary>
/// <param name="States">(B, 77, d): the hidden states, those of SDXL's two encoders side by side.</param>
/// <param name="Pooled">(B, p): the second encoder's pooled and projected text; null but for SDXL.</param>
internal sealed record TextConditioning(Tensor States, Tensor? Pooled) : IDisposable
{
    /// <summary>What the denoiser's layers have made of the states.</summary>
    public PromptKeys Keys { get; } = new();

    /// <summary>One batch after the other.</summary>
    public static TextConditioning Cat(TextConditioning first, TextConditioning second) => new(
        cat([first.States, second.States]), first.Pooled is null ? null : cat([first.Pooled, second.Pooled!]));

    /// <summary>What SDXL takes for no negative prompt at all: zeros (diffusers' <c>force_zeros_for_empty_prompt</c>).</summary>
    public TextConditioning Zeros() => new(zeros_like(States), Pooled is null ? null : zeros_like(Pooled));

    /// <summary>Keeps both when the scope ends.</summary>
    public TextConditioning DetachFromDisposeScope() => new(States.DetachFromDisposeScope(), Pooled?.DetachFromDisposeScope());

    /// <summary>Gives both to the scope around this one.</summary>
    public TextConditioning MoveToOuterDisposeScope() => new(States.MoveToOuterDisposeScope(), Pooled?.MoveToOuterDisposeScope());

    /// <inheritdoc/>
    public void Dispose()
    {
        Keys.Dispose();
        States.Dispose();
        Pooled?.Dispose();
    }
}
