using Dti.Engine.Models;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Mini.Models;

/// <summary>
/// Reads objects from latents, noisy or not, at 16 × 16 and 8 × 8. The denoiser learns to draw what this finds: an
/// error in latents hardly tells a mug from a lump of the mug's size and colour. It shares nothing with the judge.
/// </summary>
internal sealed class LatentReader
{
    private const long Fine = 64;
    private const long Coarse = 96;
    private const int Groups = 8;
    private const double Eps = 1e-5;
    private readonly Conv2d _convIn;
    private readonly ResnetBlock2D[] _fine;
    private readonly Conv2d _downsampler;
    private readonly ResnetBlock2D[] _coarse;
    private readonly ResnetBlock2D _join;
    private readonly ObjectHead _head;

    public LatentReader(int latentChannels, WeightScope weights)
    {
        _convIn = new Conv2d(weights.Sub("conv_in"), latentChannels, Fine, 3, padding: 1);
        _fine =
        [
            .. Enumerable
                .Range(0, 2)
                .Select(i => new ResnetBlock2D(weights.Sub("fine").Sub(i), Fine, Fine, Groups, Eps)),
        ];
        _downsampler = new Conv2d(weights.Sub("downsampler"), Fine, Coarse, 3, stride: 2, padding: 1);
        _coarse =
        [
            .. Enumerable
                .Range(0, 3)
                .Select(i => new ResnetBlock2D(weights.Sub("coarse").Sub(i), Coarse, Coarse, Groups, Eps)),
        ];
        _join = new ResnetBlock2D(weights.Sub("join"), Fine + Coarse, Coarse, Groups, Eps);
        _head = new ObjectHead(Coarse, weights.Sub("head"));
    }

    /// <summary>How badly objects are read from latents: see <see cref="ObjectHead.Loss"/>.</summary>
    /// <param name="latents">(B, C, side, side)</param>
    /// <param name="labels">What they show.</param>
    /// <param name="weights">Of each picture, (B) fp32; null: 1.</param>
    public HeadReading Loss(Tensor latents, ObjectLabels labels, Tensor? weights = null)
    {
        var fine = _fine.Aggregate(_convIn.Forward(latents), (h, resnet) => resnet.Forward(h));
        var coarse = _coarse.Aggregate(_downsampler.Forward(fine), (h, resnet) => resnet.Forward(h));
        var joined = _join.Forward(
            cat([fine, F.interpolate(coarse, fine.shape[2..], mode: InterpolationMode.Nearest)], 1)
        );
        return _head.Loss(joined, labels, weights);
    }
}
