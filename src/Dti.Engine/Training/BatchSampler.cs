using Dti.Engine.Models;
using Dti.Engine.Runtime;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// Samples batches: photos in shuffled rounds, so that each is seen equally often and none is dropped; a crop and a
/// caption for each; noise and timesteps. Everything follows from the seed, on any device: noise is generated on the
/// CPU.
/// </summary>
internal sealed class BatchSampler : IDisposable
{
    private readonly IDiffusionModel _model;
    private readonly TrainingSettings _settings;
    private readonly TrainingSet _photos;
    private readonly IReadOnlyList<string> _templates;
    private readonly PlaceholderTokens[] _placeholders; // one per text encoder
    private readonly Generator _noise;
    private readonly Queue<int> _round = [];
    private Pcg32 _random;

    public BatchSampler(IDiffusionModel model, TrainingSettings settings, TrainingSet photos)
    {
        _model = model;
        _settings = settings;
        _photos = photos;
        _placeholders = [.. model.Profile.Encoders.Select(encoder => encoder.NewPlaceholders())];
        Array.ForEach(_placeholders, placeholders => placeholders.Add(settings.Placeholder, settings.VectorCount));
        Latents = new LatentCache(model, photos);
        _templates = settings.Templates;
        _random = new Pcg32(settings.Seed);
        _noise = new Generator(settings.Seed, CPU);
    }

    /// <summary>
    /// The next step's batch, all that it accumulates: what chance gives does not depend on how it is divided.
    /// </summary>
    public TrainingBatch Next()
    {
        using var scope = NewDisposeScope();
        var latents = new Tensor[_settings.BatchSize * _settings.GradientAccumulation];
        var captions = new string[latents.Length];
        var crops = new PhotoCrop[latents.Length];
        var masks = _photos.HasMasks ? new Tensor[latents.Length] : null;
        for (var i = 0; i < latents.Length; i++)
        {
            var crop = crops[i] = _photos.SampleCrop(NextPhoto(), _settings.CenterCrop, _settings.RandomFlip, _random);
            var posterior = Latents.Get(crop);
            latents[i] = _model.Normalize(posterior.Sample(Randn(posterior.Mean.shape)));
            captions[i] = NextTemplate(crop.PhotoIndex);
            if (masks is not null)
            {
                masks[i] = _photos.Mask(crop, (int)latents[i].shape[^1]);
            }
        }

        var x0 = cat(latents);
        var noise = Randn(x0.shape);
        var timesteps = _model.NoiseProcess.SampleTimesteps(latents.Length, _noise).to(x0.device);
        var ids = Ids(captions).Select(encoder => encoder.MoveToOuterDisposeScope()).ToArray();
        var sizes = _photos.Sizes(crops).to(x0.device);
        return new TrainingBatch(
            x0.MoveToOuterDisposeScope(),
            noise.MoveToOuterDisposeScope(),
            timesteps.MoveToOuterDisposeScope(),
            ids,
            sizes.MoveToOuterDisposeScope(),
            masks is null ? null : stack(masks).to(x0.device).MoveToOuterDisposeScope()
        );
    }

    /// <summary>The state of chance. The caller disposes of its tensor.</summary>
    public SamplerState Save() => new(_random.Save(), [.. _round], _noise.get_state().DetachFromDisposeScope());

    /// <summary>Goes on as a sampler did whose state was saved.</summary>
    public void Restore(SamplerState state)
    {
        _random = new Pcg32(state.Random);
        _noise.set_state(state.Noise);
        _round.Clear();
        foreach (var photo in state.Round)
        {
            _round.Enqueue(photo);
        }
    }

    /// <summary>The autoencoder's view of crops.</summary>
    public LatentCache Latents { get; }

    /// <summary>The ids of templates with the concept in its place: (B, 77) int64 for each text encoder.</summary>
    public Tensor[] Ids(IReadOnlyCollection<string> templates)
    {
        var identifier = PlaceholderTokens.Identifier(_settings.Placeholder, _settings.VectorCount);
        return
        [
            .. _model.Profile.Encoders.Select(
                (encoder, i) =>
                    tensor(
                            templates
                                .SelectMany(template =>
                                    encoder
                                        .Tokenizer.Tokenize(
                                            PromptTemplates.Fill(template, identifier),
                                            _placeholders[i]
                                        )
                                        .InputIds.Select(id => (long)id)
                                )
                                .ToArray(),
                            [templates.Count, encoder.Tokenizer.ModelMaxLength],
                            ScalarType.Int64
                        )
                        .to(_model.Target.Device)
            ),
        ];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Latents.Dispose();
        _noise.Dispose();
    }

    private Tensor Randn(long[] shape) =>
        randn(shape, ScalarType.Float32, CPU, generator: _noise).to(_model.Target.Device);

    // A template is sampled for a photo with a caption too, so that a caption changes no other choice.
    private string NextTemplate(int photo)
    {
        var template = _templates[_random.NextInt(_templates.Count)];
        return _photos.Caption(photo) ?? template;
    }

    private int NextPhoto()
    {
        if (_round.Count == 0)
        {
            int[] order = [.. Enumerable.Range(0, _photos.Count)];
            for (var i = order.Length - 1; i > 0; i--) // Fisher–Yates
            {
                var j = _random.NextInt(i + 1);
                (order[i], order[j]) = (order[j], order[i]);
            }

            foreach (var photo in order)
            {
                _round.Enqueue(photo);
            }
        }

        return _round.Dequeue();
    }
}

/// <summary>The state of chance of a <see cref="BatchSampler"/>.</summary>
/// <param name="Random">Of crops, captions and order.</param>
/// <param name="Round">Photos of the round that are still to come.</param>
/// <param name="Noise">libtorch's generator, (k) uint8.</param>
internal sealed record SamplerState(Pcg32State Random, IReadOnlyList<int> Round, Tensor Noise);
