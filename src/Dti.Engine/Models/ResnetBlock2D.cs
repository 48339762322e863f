using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models;

/// <summary>
/// Two convolutions with group norm and SiLU, a time shift between them, and a shortcut (diffusers' ResnetBlock2D).
/// </summary>
internal sealed class ResnetBlock2D
{
    private readonly GroupNorm _norm1;
    private readonly Conv2d _conv1;
    private readonly Linear? _timeEmbProj;
    private readonly GroupNorm _norm2;
    private readonly Conv2d _conv2;
    private readonly Conv2d? _convShortcut;

    /// <param name="weights">The block's weights.</param>
    /// <param name="inChannels">Channels in.</param>
    /// <param name="outChannels">Channels out.</param>
    /// <param name="groups">Groups of the norms.</param>
    /// <param name="eps">ε of the norms.</param>
    /// <param name="temb">Width of the time embedding; null: none, as in the autoencoder.</param>
    public ResnetBlock2D(
        WeightScope weights,
        long inChannels,
        long outChannels,
        long groups,
        double eps,
        long? temb = null
    )
    {
        _norm1 = new GroupNorm(weights.Sub("norm1"), groups, inChannels, eps);
        _conv1 = new Conv2d(weights.Sub("conv1"), inChannels, outChannels, 3, padding: 1);
        _timeEmbProj = temb is { } width ? new Linear(weights.Sub("time_emb_proj"), width, outChannels) : null;
        _norm2 = new GroupNorm(weights.Sub("norm2"), groups, outChannels, eps);
        _conv2 = new Conv2d(weights.Sub("conv2"), outChannels, outChannels, 3, padding: 1);
        _convShortcut =
            inChannels != outChannels ? new Conv2d(weights.Sub("conv_shortcut"), inChannels, outChannels, 1) : null;
    }

    /// <param name="x">(B, C, H, W)</param>
    /// <param name="activatedTemb">SiLU of the time embedding, (B, temb); null where the block has none.</param>
    public Tensor Forward(Tensor x, Tensor? activatedTemb = null)
    {
        using var scope = NewDisposeScope();
        var h = _conv1.Forward(F.silu(_norm1.Forward(x)));
        if (_timeEmbProj is not null)
        {
            h = h + _timeEmbProj.Forward(activatedTemb!).unsqueeze(-1).unsqueeze(-1);
        }

        h = _conv2.Forward(F.silu(_norm2.Forward(h)));
        return ((_convShortcut?.Forward(x) ?? x) + h).MoveToOuterDisposeScope();
    }
}
