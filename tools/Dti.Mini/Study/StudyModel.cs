using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Tokenization;
using Dti.Mini.Stages;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>The finished model, as all studies of designs generate with it. Thread-safe.</summary>
internal sealed class StudyModel
{
    private readonly StableDiffusionModel _model;

    public StudyModel()
    {
        var profile = (StableDiffusionProfile)ModelFamilies.BuiltIn.Read(World.MiniWorld.ModelFolder);
        _model = StudyTraining.Load(profile);
        Sampler = new MiniSampler(
            _model.TextEncoder,
            _model.Vae,
            _model.Tokenizer,
            WordsStage.Embedder(profile.TextConfig.HiddenSize)
        );
    }

    /// <summary>The model's profile.</summary>
    public ModelProfile Profile => _model.Profile;

    /// <summary>Its tokenizer.</summary>
    public ClipTokenizer Tokenizer => _model.Tokenizer;

    /// <summary>Its autoencoder.</summary>
    public AutoencoderKL Autoencoder => _model.Vae;

    /// <summary>Encodes captions, also those of designs that have no name.</summary>
    public MiniSampler Sampler { get; }

    /// <summary>The states of prompts in which concepts are placeholders: (B, 77, d).</summary>
    public Tensor Encode(IReadOnlyList<ConceptEmbedding> concepts, IEnumerable<string> prompts)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var encoder = new PromptEncoder(_model, concepts);
        return cat([.. prompts.Select(prompt => encoder.Encode(prompt).States)]).MoveToOuterDisposeScope();
    }

    /// <summary>Images of states, (128, 128, 3) bytes each.</summary>
    /// <param name="states">(B, 77, d)</param>
    /// <param name="sampling">How.</param>
    /// <param name="seed">Of the noise.</param>
    public byte[][] Sample(Tensor states, Sampling sampling, int seed) =>
        Sampler.Sample(_model.UNet, states, sampling, seed);

    /// <summary>The embedding of a word of the vocabulary.</summary>
    /// <param name="word">One token.</param>
    public DirectionalVectors Word(string word)
    {
        using var scope = NewDisposeScope();
        var id = _model.Tokenizer.Encode(word)[0];
        return DirectionalVectors.FromEmbeddings([
            _model.TextEncoder.TokenEmbedding[id].to(ScalarType.Float32).data<float>().ToArray(),
        ]);
    }
}
