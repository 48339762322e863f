using Dti.Engine.Runtime.Devices;
using static TorchSharp.torch;

namespace Dti.Engine.Models.Families.Sana;

/// <summary>
/// A loaded SANA: Gemma 2, transformer, autoencoder. Its weights never change and take no gradients. One computation at
/// a time may use it.
/// </summary>
public sealed class SanaModel : DiffusionModel<SanaProfile>
{
    private readonly ModelComponent<Gemma2Model> _text;
    private readonly ModelComponent<SanaTransformer2DModel> _transformer;
    private readonly ModelComponent<AutoencoderDC> _vae;

    private SanaModel(SanaProfile profile, ComputeTarget target, MemoryPolicy memory)
        : base(profile, target, memory)
    {
        try
        {
            _text = Components.Load(ModelParts.TextEncoders, "text_encoder", weights => new Gemma2Model(
                profile.TextConfig,
                weights,
                ((GemmaTokenizer)profile.Tokenizer).PadTokenId
            ));
            _transformer = Components.Load(ModelParts.Denoiser, "transformer", weights => new SanaTransformer2DModel(
                profile.TransformerConfig,
                weights
            ));
            _vae = Components.Load(ModelParts.Autoencoder, "vae", weights => new AutoencoderDC(
                profile.VaeConfig,
                weights,
                memory.AutoencoderTile
            ));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override IReadOnlyList<ITextEncoder> TextEncoders => [TextEncoder];

    internal Gemma2Model TextEncoder => _text.Module;

    internal SanaTransformer2DModel Transformer => _transformer.Module;

    internal AutoencoderDC Vae => _vae.Module;

    /// <summary>Reads the weights, each byte once, straight into tensors of the target's dtype.</summary>
    /// <param name="profile">The model.</param>
    /// <param name="target">Where it is to compute.</param>
    /// <param name="memory">What to trade for memory; null: nothing.</param>
    /// <exception cref="DtiException">A file is missing or corrupt, a tensor is missing, extra or of a wrong
    /// shape.</exception>
    public static SanaModel Load(ModelProfile profile, ComputeTarget target, MemoryPolicy? memory = null) =>
        new((SanaProfile)profile, target, memory ?? MemoryPolicy.High);

    /// <summary>
    /// The states of the ids from the first to the last column with an id that is not padding. Of rows longer than 300,
    /// which begin with the pipeline's instruction, those of the first id and the last 299.
    /// </summary>
    /// <inheritdoc/>
    public override Conditioning Condition(
        IReadOnlyList<Tensor> inputIds,
        IReadOnlyList<Tensor?> conceptRows,
        int clipSkip = 1,
        ActivationCheckpoints? checkpoints = null
    )
    {
        using var scope = NewDisposeScope();
        var ids = inputIds[0];
        var mask = TextEncoder.Mask(ids);
        var hidden = ids.shape[1] - GemmaTokenizer.Length; // ids after the first that the transformer does not see
        var used = mask.any(0).nonzero().flatten();
        var (begin, end) =
            used.numel() == 0 ? (0, 1) : (hidden > 0 ? 0 : used[0].item<long>(), used[-1].item<long>() + 1);
        (ids, mask) = (ids.narrow(1, begin, end - begin), mask.narrow(1, begin, end - begin));
        var states = TextEncoder.Forward(ids, conceptRows[0], mask, checkpoints);
        if (hidden > 0)
        {
            var from = Math.Min(hidden + 1, end);
            var seen = cat([zeros(1, ScalarType.Int64), arange(from, end)]);
            (states, mask) = (states.index_select(1, seen.to(states.device)), mask.index_select(1, seen));
        }

        return new Conditioning(checkpoints.Cut(states), mask.to(states.device)).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor Predict(
        Tensor sample,
        Tensor times,
        Conditioning conditioning,
        ActivationCheckpoints? checkpoints = null,
        PromptKeys? keys = null
    )
    {
        ArgumentNullException.ThrowIfNull(conditioning);
        return Transformer.Forward(sample, times, conditioning.States, conditioning.Mask!, checkpoints, keys);
    }

    /// <inheritdoc/>
    public override LatentDistribution Encode(Tensor pixels)
    {
        using var scope = NewDisposeScope();
        return new LatentDistribution(
            Vae.Encode(pixels.to(Target.Dtype, Target.Device)).to(ScalarType.Float32).MoveToOuterDisposeScope()
        );
    }

    /// <inheritdoc/>
    public override Tensor Normalize(Tensor latents) => Profile.VaeConfig.Normalize(latents);

    /// <inheritdoc/>
    public override Tensor Decode(Tensor latents)
    {
        using var scope = NewDisposeScope();
        return Vae.Decode(Profile.VaeConfig.Denormalize(latents).to(Target.Dtype, Target.Device))
            .MoveToOuterDisposeScope();
    }
}
