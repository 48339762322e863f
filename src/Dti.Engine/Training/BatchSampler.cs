using Dti.Engine.Models;
using Dti.Engine.Runtime;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// Draws batches: photos in shuffled rounds, so that each is seen equally often and none is dropped; a crop and a caption
/// for each; noise and timesteps. Everything follows from the seed, on any device: noise is drawn on the CPU.
/// </summary>
internal sealed class BatchSampler : IDisposable
{
    private readonly StableDiffusionModel _model;
    private readonly TrainingSettings _settings;
    private readonly TrainingSet _photos;
    private readonly LatentCache _latents;
    private readonly IReadOnlyList<string> _templates;
    private readonly PlaceholderTokens _placeholders;
    private readonly Pcg32 _random;
    private readonly Generator _noise;
    private readonly Queue<int> _round = [];

    public BatchSampler(StableDiffusionModel model, TrainingSettings settings, TrainingSet photos, PlaceholderTokens placeholders)
    {
        _model = model;
        _settings = settings;
        _photos = photos;
        _placeholders = placeholders;
        _latents = new LatentCache(model, photos);
        _templates = PromptTemplates.For(settings.Kind);
        _random = new Pcg32(settings.Seed);
        _noise = new Generator(settings.Seed, CPU);
    }

    /// <summary>The next batch.</summary>
    public TrainingBatch Next()
    {
        using var scope = NewDisposeScope();
        var latents = new Tensor[_settings.BatchSize];
        var captions = new int[_settings.BatchSize][];
        for (var i = 0; i < latents.Length; i++)
        {
            var posterior = _latents.Get(_photos.SampleCrop(NextPhoto(), _settings.CenterCrop, _settings.RandomFlip, _random));
            latents[i] = posterior.Sample(Randn(posterior.Mean.shape)) * _model.Vae.Config.ScalingFactor;
            captions[i] = [.. _model.Tokenizer.Tokenize(NextCaption(), _placeholders).InputIds];
        }

        var x0 = cat(latents);
        var noise = Randn(x0.shape);
        var timesteps = randint(0, _model.NoiseSchedule.TrainTimesteps, [latents.Length], ScalarType.Int64, CPU, generator: _noise).to(x0.device);
        var ids = tensor(captions.SelectMany(row => row.Select(id => (long)id)).ToArray(), [latents.Length, captions[0].Length], ScalarType.Int64).to(x0.device);
        return new TrainingBatch(
            x0.MoveToOuterDisposeScope(), noise.MoveToOuterDisposeScope(), timesteps.MoveToOuterDisposeScope(), ids.MoveToOuterDisposeScope());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _latents.Dispose();
        _noise.Dispose();
    }

    private Tensor Randn(long[] shape) => randn(shape, ScalarType.Float32, CPU, generator: _noise).to(_model.Target.Device);

    private string NextCaption() => PromptTemplates.Fill(
        _templates[_random.NextInt(_templates.Count)], PlaceholderTokens.Identifier(_settings.Placeholder, _settings.VectorCount));

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
