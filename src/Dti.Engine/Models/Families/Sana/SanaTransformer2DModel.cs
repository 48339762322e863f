using Dti.Engine.Runtime;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>
/// SANA's denoiser (arXiv 2410.10629, 1.5: 2501.18427; diffusers' SanaTransformer2DModel): a transformer over single
/// latents, without positions, with linear attention and convolutions.
/// </summary>
internal sealed class SanaTransformer2DModel
{
    private const int TimeChannels = 256;
    private readonly SanaTransformerConfig _config;
    private readonly Conv2d _patches;
    private readonly Linear _time1;
    private readonly Linear _time2;
    private readonly Linear _modulation;
    private readonly Linear _caption1;
    private readonly Linear _caption2;
    private readonly RmsNorm _captionNorm;
    private readonly Tensor _scaleShift; // (2, D)
    private readonly Linear _out;

    public SanaTransformer2DModel(SanaTransformerConfig config, WeightScope weights)
    {
        _config = config;
        long width = config.Width;
        var time = weights.Sub("time_embed");
        var embedder = time.Sub("emb").Sub("timestep_embedder");
        var caption = weights.Sub("caption_projection");
        _patches = new Conv2d(
            weights.Sub("patch_embed").Sub("proj"),
            config.Channels,
            width,
            config.PatchSize,
            config.PatchSize
        );
        _time1 = new Linear(embedder.Sub("linear_1"), TimeChannels, width);
        _time2 = new Linear(embedder.Sub("linear_2"), width, width);
        _modulation = new Linear(time.Sub("linear"), width, 6 * width);
        _caption1 = new Linear(caption.Sub("linear_1"), config.CaptionChannels, width);
        _caption2 = new Linear(caption.Sub("linear_2"), width, width);
        _captionNorm = new RmsNorm(weights.Sub("caption_norm"), width);
        var blocks = weights.Sub("transformer_blocks");
        Blocks = [.. Enumerable.Range(0, config.NumLayers).Select(i => new SanaBlock(config, blocks.Sub(i)))];
        _scaleShift = weights.Take("scale_shift_table", 2, width);
        _out = new Linear(weights.Sub("proj_out"), width, (long)config.Channels * config.PatchSize * config.PatchSize);
    }

    /// <summary>The blocks.</summary>
    public IReadOnlyList<SanaBlock> Blocks { get; }

    /// <summary>Predicts the flow ε − x₀.</summary>
    /// <param name="sample">(B, C, h, w), or (1, C, h, w) for all B prompts.</param>
    /// <param name="times">(B) or (1), σ·1000.</param>
    /// <param name="states">(B, L, d) of the text encoder.</param>
    /// <param name="mask">(B, L), which of them count.</param>
    /// <param name="checkpoints">Of activations, in training; null: none.</param>
    /// <param name="keys">Cached keys and values of the prompts; null: they are computed.</param>
    /// <returns>(B, C, h, w)</returns>
    public Tensor Forward(
        Tensor sample,
        Tensor times,
        Tensor states,
        Tensor mask,
        ActivationCheckpoints? checkpoints = null,
        PromptKeys? keys = null
    )
    {
        using var scope = NewDisposeScope();
        var (height, width) = (sample.shape[2] / _config.PatchSize, sample.shape[3] / _config.PatchSize);
        var x = Patches(sample);
        var (six, t) = Time(times, sample.dtype);
        var bias = Bias(mask, sample.dtype);
        Tensor? caption = null;
        Tensor Caption() => caption ??= checkpoints.Cut(this.Caption(states));
        foreach (var block in Blocks)
        {
            if (checkpoints is not null)
            {
                x = checkpoints.Keep(
                    all => block.Forward(all[0], block.Keys(all[1]), all[2], all[3], height, width),
                    x,
                    Caption(),
                    bias,
                    six
                );
            }
            else
            {
                var prompt = keys?.Of(block, () => block.Keys(Caption())) ?? block.Keys(Caption());
                x = block.Forward(x, prompt, bias, six, height, width);
            }
        }

        Tensor[] last = [x, t];
        Tensor Finish(Tensor[] all) => Unpatched(all[0], all[1], height, width);
        return (checkpoints?.Keep(Finish, last) ?? Finish(last)).MoveToOuterDisposeScope();
    }

    /// <summary>(B, C, h, w) to tokens (B, N, D), a patch each.</summary>
    internal Tensor Patches(Tensor sample) => _patches.Forward(sample).flatten(2).transpose(1, 2).contiguous();

    /// <summary>Six modulation vectors (B, 6·D), and what they are made of, (B, D).</summary>
    internal (Tensor Six, Tensor Embedded) Time(Tensor times, ScalarType dtype)
    {
        var half = TimeChannels / 2;
        var frequencies = (arange(half, ScalarType.Float32, times.device) * (-Math.Log(10_000) / half)).exp();
        var angles = (times.to(ScalarType.Float32) * _config.TimestepScale).unsqueeze(-1) * frequencies;
        var sinusoids = cat([angles.cos(), angles.sin()], -1).to(dtype);
        var embedded = _time2.Forward(F.silu(_time1.Forward(sinusoids)));
        return (_modulation.Forward(F.silu(embedded)), embedded);
    }

    /// <summary>(B, L, d) of the text encoder to (B, L, D).</summary>
    internal Tensor Caption(Tensor states) =>
        _captionNorm.Forward(_caption2.Forward(Activation.GeluTanh.Apply(_caption1.Forward(states))));

    /// <summary>What is added to scores: (B, 1, 1, L).</summary>
    internal static Tensor Bias(Tensor mask, ScalarType dtype) =>
        ((1 - mask.to(dtype)) * -10_000).unsqueeze(1).unsqueeze(1);

    private Tensor Unpatched(Tensor x, Tensor t, long height, long width)
    {
        using var scope = NewDisposeScope();
        var modulation = (_scaleShift + t.unsqueeze(1)).chunk(2, 1);
        var normed = F.layer_norm(x, [_config.Width], eps: _config.NormEps);
        var side = _config.PatchSize;
        return _out.Forward((normed * (1 + modulation[1])) + modulation[0])
            .view(-1, height, width, side, side, _config.Channels)
            .permute(0, 5, 1, 3, 2, 4)
            .reshape(-1, _config.Channels, height * side, width * side)
            .MoveToOuterDisposeScope();
    }
}

/// <summary>
/// A block of SANA: modulated linear attention, attention to the prompt, modulated convolutions (diffusers'
/// SanaTransformerBlock).
/// </summary>
internal sealed class SanaBlock
{
    private readonly SanaTransformerConfig _config;
    private readonly SanaProjections _self;
    private readonly SanaProjections _cross;
    private readonly GluMbConv _convolutions;
    private readonly Tensor _scaleShift; // (6, D)

    public SanaBlock(SanaTransformerConfig config, WeightScope weights)
    {
        _config = config;
        _self = new SanaProjections(config, weights.Sub("attn1"), config.AttentionBias);
        _cross = new SanaProjections(config, weights.Sub("attn2"), bias: true);
        _convolutions = new GluMbConv(weights.Sub("ff"), config.Width, config.MlpWidth);
        _scaleShift = weights.Take("scale_shift_table", 6, config.Width);
    }

    /// <summary>Keys and values of prompts, (B, L, D) each.</summary>
    public (Tensor Keys, Tensor Values) Keys(Tensor caption) => (_cross.Keys(caption), _cross.Values(caption));

    /// <param name="x">(B, N, D), or (1, N, D) for all B prompts.</param>
    /// <param name="prompt">What <see cref="Keys"/> gave.</param>
    /// <param name="bias">(B, 1, 1, L)</param>
    /// <param name="six">(B, 6·D) or (1, 6·D).</param>
    /// <param name="height">Patches.</param>
    /// <param name="width">Patches.</param>
    /// <returns>(B, N, D)</returns>
    public Tensor Forward(
        Tensor x,
        (Tensor Keys, Tensor Values) prompt,
        Tensor bias,
        Tensor six,
        long height,
        long width
    )
    {
        using var scope = NewDisposeScope();
        var modulation = (_scaleShift + six.view(six.shape[0], 6, -1)).chunk(6, 1); // shift, scale, gate, twice
        x = x + (modulation[2] * Attend(Modulated(x, modulation[0], modulation[1])));
        x = x + AttendPrompt(x, prompt, bias);
        var image = Modulated(x, modulation[3], modulation[4]).unflatten(1, height, width).permute(0, 3, 1, 2);
        var convolved = _convolutions.Forward(image).permute(0, 2, 3, 1).flatten(1, 2);
        return (x + (modulation[5] * convolved)).MoveToOuterDisposeScope();
    }

    private Tensor Modulated(Tensor x, Tensor shift, Tensor scale)
    {
        using var section = StepProfile.Of(StepWork.Norm);
        return (F.layer_norm(x, [_config.Width], eps: _config.NormEps) * (1 + scale)) + shift;
    }

    private Tensor Attend(Tensor x)
    {
        using var scope = NewDisposeScope();
        Tensor Heads(Tensor projected) => MultiHead.Split(projected, _config.NumAttentionHeads);
        var result = LinearAttention.Attend(Heads(_self.Queries(x)), Heads(_self.Keys(x)), Heads(_self.Values(x)));
        return _self.Out(result.transpose(1, 2).flatten(2).to(x.dtype)).MoveToOuterDisposeScope();
    }

    private Tensor AttendPrompt(Tensor x, (Tensor Keys, Tensor Values) prompt, Tensor bias)
    {
        using var scope = NewDisposeScope();
        Tensor Heads(Tensor projected) =>
            MultiHead.Split(projected, _config.NumCrossAttentionHeads).expand(prompt.Keys.shape[0], -1, -1, -1); // one sample for all prompts
        var (q, k, v) = (Heads(_cross.Queries(x)), Heads(prompt.Keys), Heads(prompt.Values));
        Tensor result;
        using (StepProfile.Of(StepWork.Attention))
        {
            result = F.scaled_dot_product_attention(q, k, v, bias);
        }

        return _cross.Out(result.transpose(1, 2).flatten(2)).MoveToOuterDisposeScope();
    }
}

/// <summary>The linear layers of an attention, and the norms of its queries and keys over all heads (SANA 1.5).</summary>
internal sealed class SanaProjections(SanaTransformerConfig config, WeightScope weights, bool bias)
{
    private readonly Linear _q = new(weights.Sub("to_q"), config.Width, config.Width, bias);
    private readonly Linear _k = new(weights.Sub("to_k"), config.Width, config.Width, bias);
    private readonly Linear _v = new(weights.Sub("to_v"), config.Width, config.Width, bias);
    private readonly Linear _out = new(weights.Sub("to_out").Sub(0), config.Width, config.Width);
    private readonly RmsNorm? _normQ = config.NormalizesQueries ? new(weights.Sub("norm_q"), config.Width) : null;
    private readonly RmsNorm? _normK = config.NormalizesQueries ? new(weights.Sub("norm_k"), config.Width) : null;

    public Tensor Queries(Tensor x) => Normed(_normQ, _q.Forward(x));

    public Tensor Keys(Tensor x) => Normed(_normK, _k.Forward(x));

    public Tensor Values(Tensor x) => _v.Forward(x);

    public Tensor Out(Tensor x) => _out.Forward(x);

    private static Tensor Normed(RmsNorm? norm, Tensor x) => norm?.Forward(x) ?? x;
}
