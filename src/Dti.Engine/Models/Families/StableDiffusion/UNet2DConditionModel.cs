using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>The added conditioning of SDXL's UNet (arXiv 2307.01952, section 2.2).</summary>
/// <param name="TextEmbeds">(B, p), the pooled and projected text of the second encoder.</param>
/// <param name="TimeIds">(B, 6): original height and width, top and left of the crop, target height and width.</param>
internal sealed record AddedConditioning(Tensor TextEmbeds, Tensor TimeIds);

/// <summary>The denoiser of Stable Diffusion (arXiv 2112.10752; diffusers' UNet2DConditionModel).</summary>
internal sealed class UNet2DConditionModel
{
    private readonly UNet2DConditionConfig _config;
    private readonly Conv2d _convIn;
    private readonly Linear _timeLinear1;
    private readonly Linear _timeLinear2;
    private readonly Linear? _addLinear1;
    private readonly Linear? _addLinear2;
    private readonly DownBlock[] _downBlocks;
    private readonly MidBlock _midBlock;
    private readonly UpBlock[] _upBlocks;
    private readonly GroupNorm _convNormOut;
    private readonly Conv2d _convOut;

    public UNet2DConditionModel(UNet2DConditionConfig config, WeightScope weights)
    {
        _config = config;
        var channels = config.BlockOutChannels;
        var levels = channels.Length;
        var temb = 4L * channels[0];
        _convIn = new Conv2d(weights.Sub("conv_in"), config.InChannels, channels[0], 3, padding: 1);
        _timeLinear1 = new Linear(weights.Sub("time_embedding.linear_1"), channels[0], temb);
        _timeLinear2 = new Linear(weights.Sub("time_embedding.linear_2"), temb, temb);
        if (config.AdditionTimeEmbedDim > 0)
        {
            _addLinear1 = new Linear(weights.Sub("add_embedding.linear_1"), config.AdditionInputDim, temb);
            _addLinear2 = new Linear(weights.Sub("add_embedding.linear_2"), temb, temb);
        }

        _downBlocks =
        [
            .. Enumerable
                .Range(0, levels)
                .Select(i => new DownBlock(
                    config,
                    weights.Sub("down_blocks").Sub(i),
                    level: i,
                    channels[Math.Max(0, i - 1)],
                    temb
                )),
        ];
        _midBlock = new MidBlock(config, weights.Sub("mid_block"), temb);
        _upBlocks =
        [
            .. Enumerable
                .Range(0, levels)
                .Select(i => new UpBlock(config, weights.Sub("up_blocks").Sub(i), index: i, temb)),
        ];
        _convNormOut = new GroupNorm(weights.Sub("conv_norm_out"), config.NormNumGroups, channels[0], config.NormEps);
        _convOut = new Conv2d(weights.Sub("conv_out"), channels[0], config.OutChannels, 3, padding: 1);
    }

    /// <summary>Predicts noise (or velocity).</summary>
    /// <param name="sample">
    /// Noisy latents, (B, C, h, w); any h and w. Or (1, C, h, w) for all B prompts: then what comes before the first
    /// layer that sees the prompt is done once.
    /// </param>
    /// <param name="timesteps">(B) or (1), any number type.</param>
    /// <param name="encoderHiddenStates">(B, 77, d)</param>
    /// <param name="added">What else a UNet of SDXL needs; null for others.</param>
    /// <param name="checkpoints">Of activations, in training; null: none.</param>
    /// <param name="keys">Cached keys of the prompt, reused by all sampling steps; null: they are computed.</param>
    /// <param name="features">Takes what each level on the way up gives, coarsest first, (B, Cᵢ, hᵢ, wᵢ); null:
    /// nothing.</param>
    /// <returns>(B, C, h, w)</returns>
    public Tensor Forward(
        Tensor sample,
        Tensor timesteps,
        Tensor encoderHiddenStates,
        AddedConditioning? added = null,
        ActivationCheckpoints? checkpoints = null,
        PromptKeys? keys = null,
        ICollection<Tensor>? features = null
    )
    {
        using var scope = NewDisposeScope();
        var temb = TimeEmbedding(timesteps, sample.dtype);
        if (_addLinear1 is not null)
        {
            temb =
                temb
                + AddedEmbedding(
                    added
                        ?? throw new ArgumentNullException(
                            nameof(added),
                            "this UNet needs the pooled text and the time ids"
                        ),
                    sample.dtype
                );
        }

        temb = checkpoints.Cut(F.silu(temb)); // every block activates it first
        var h = _convIn.Forward(sample);
        var skips = new Stack<Tensor>([h]);
        foreach (var block in _downBlocks)
        {
            h = block.Forward(h, temb, encoderHiddenStates, skips, checkpoints, keys);
        }

        h = _midBlock.Forward(h, temb, encoderHiddenStates, checkpoints, keys);
        foreach (var block in _upBlocks)
        {
            h = block.Forward(h, temb, encoderHiddenStates, skips, checkpoints, keys);
            features?.Add(h.MoveToOuterDisposeScope());
        }

        return checkpoints.Run(x => _convOut.Forward(F.silu(_convNormOut.Forward(x))), h).MoveToOuterDisposeScope();
    }

    /// <summary>
    /// Sinusoids of t (arXiv 2006.11239, from Transformer positions), then two linear layers: (B, 4·C₀).
    /// </summary>
    private Tensor TimeEmbedding(Tensor timesteps, ScalarType dtype)
    {
        return _timeLinear2.Forward(
            F.silu(_timeLinear1.Forward(Sinusoids(timesteps, _config.BlockOutChannels[0]).to(dtype)))
        );
    }

    /// <summary>
    /// The pooled text concatenated with the sinusoids of the time ids, then two linear layers: (B, 4·C₀).
    /// </summary>
    private Tensor AddedEmbedding(AddedConditioning added, ScalarType dtype)
    {
        var times = Sinusoids(added.TimeIds.flatten(), _config.AdditionTimeEmbedDim)
            .view(added.TextEmbeds.shape[0], -1); // (B, 6·width)
        var joined = cat([added.TextEmbeds.to(ScalarType.Float32), times], -1).to(dtype);
        return _addLinear2!.Forward(F.silu(_addLinear1!.Forward(joined)));
    }

    /// <summary>(n) numbers to (n, width) fp32.</summary>
    private Tensor Sinusoids(Tensor numbers, int width)
    {
        var half = width / 2;
        var exponent = -Math.Log(10000) * arange(half, ScalarType.Float32, numbers.device) / (half - _config.FreqShift);
        var angles = numbers.to(ScalarType.Float32).unsqueeze(-1) * exponent.exp();
        return cat(_config.FlipSinToCos ? [angles.cos(), angles.sin()] : [angles.sin(), angles.cos()], -1);
    }
}
