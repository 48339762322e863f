using Dti.Engine.Models;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Tests.Families.TinyDit;

/// <summary>A loaded tiny DiT. Its latents are blocks of 4 × 4 pixels.</summary>
internal sealed class TinyDitModel : IDiffusionModel
{
    private readonly ModelComponent<TinyTextModel> _text;
    private readonly ModelComponent<TinyTransformer> _transformer;
    private readonly TinyDitProfile _profile;

    public TinyDitModel(TinyDitProfile profile, ComputeTarget target, MemoryPolicy memory)
    {
        (_profile, Target, Memory) = (profile, target, memory);
        NoiseProcess = profile.Noise.CreateProcess(target.Device);
        _text = Load("text_encoder", weights => new TinyTextModel(
            profile.Encoders[0].Embeddings.VocabularySize,
            weights
        ));
        _transformer = Load("transformer", weights => new TinyTransformer(weights));
    }

    public ModelProfile Profile => _profile;

    public ComputeTarget Target { get; }

    public MemoryPolicy Memory { get; }

    public INoiseProcess NoiseProcess { get; }

    public IReadOnlyList<ITextEncoder> TextEncoders => [_text.Module];

    public void UseOnly(ModelParts parts) { }

    public void ReleaseTransposed()
    {
        _text.ReleaseTransposed();
        _transformer.ReleaseTransposed();
    }

    public Conditioning Condition(
        IReadOnlyList<Tensor> inputIds,
        IReadOnlyList<Tensor?> conceptRows,
        int clipSkip = 1,
        ActivationCheckpoints? checkpoints = null
    )
    {
        using var scope = NewDisposeScope();
        var states = _text.Module.LastHiddenState(inputIds[0], conceptRows[0]);
        // the first end of text counts, padding does not
        var ended = inputIds[0].eq(_profile.Tokenizer.EosTokenId).to(ScalarType.Int64).cumsum(1);
        return new Conditioning(
            checkpoints.Cut(states),
            Mask: ended.sub(inputIds[0].eq(_profile.Tokenizer.EosTokenId).to(ScalarType.Int64)).eq(0)
        ).MoveToOuterDisposeScope();
    }

    public Tensor Predict(
        Tensor sample,
        Tensor times,
        Conditioning conditioning,
        ActivationCheckpoints? checkpoints = null,
        PromptKeys? keys = null
    )
    {
        // all that a second forward pass needs
        Tensor[] inputs = [sample, times, conditioning.States, conditioning.Mask!];
        Tensor Forward(Tensor[] all) => _transformer.Module.Forward(all[0], all[1], all[2], all[3]);
        return checkpoints?.Keep(Forward, inputs) ?? Forward(inputs);
    }

    public LatentDistribution Encode(Tensor pixels) =>
        new(F.pixel_unshuffle(pixels.to(Target.Device), TinyTransformer.Factor));

    public Tensor Normalize(Tensor latents) => latents * 2;

    public Tensor Decode(Tensor latents) => F.pixel_shuffle(latents / 2, TinyTransformer.Factor);

    public void Dispose()
    {
        _text.Dispose();
        _transformer.Dispose();
        NoiseProcess.Dispose();
    }

    private ModelComponent<T> Load<T>(string name, Func<WeightScope, T> build)
        where T : class
    {
        using var weights = _profile.OpenWeights(name);
        return new ModelComponent<T>(weights, Target, Memory, build);
    }
}
