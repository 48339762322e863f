using Dti.Engine.Models;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// How good a concept is at a step, measured deterministically, so that steps can be compared: the loss at noise and
/// timesteps that training never uses, the same at each step; and how far the concept moves the words around it.
/// </summary>
internal sealed class TrainingChecks : IDisposable
{
    private const int Samples = 16;

    // What is said of the concept in these must still be said when the concept is there.
    private static readonly string[] _objectProbes =
    [
        "a photo of a {} on the beach at sunset",
        "an oil painting of a {} next to a red chair and a window",
        "a {} wearing a hat, in the snow, at night",
        "a watercolour of a {} under a tree, mountains behind it and a bird in the sky",
    ];

    private static readonly string[] _styleProbes =
    [
        "a picture in the style of {} of a house on the beach at sunset",
        "a painting in the style of {}, a red chair next to a window",
        "in the style of {}: a dog wearing a hat, in the snow, at night",
        "a drawing in the style of {} of a tree, mountains behind it and a bird in the sky",
    ];

    private readonly IDiffusionModel _model;
    private readonly DenoisingLoss _objective;
    private readonly List<TrainingBatch> _batches = [];
    private readonly Tensor _probes; // (P, 77) int64
    private readonly Tensor _words; // (P, 77) bool: words after the concept
    private readonly Tensor _undisturbed; // (P, 77, d) fp32

    /// <param name="model">The model.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="photos">The photos.</param>
    /// <param name="batches">Gives latents and ids as training sees them.</param>
    /// <param name="start">e at the start, (n, d), of the first text encoder.</param>
    public TrainingChecks(
        IDiffusionModel model,
        TrainingSettings settings,
        TrainingSet photos,
        BatchSampler batches,
        Tensor start
    )
    {
        (_model, _objective) = (model, new DenoisingLoss(model, settings.PredictionType));
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var generator = new Generator(settings.Seed ^ 0x9E3779B97F4A7C15, CPU);
        foreach (var draws in Enumerable.Range(0, Samples).Chunk(settings.BatchSize))
        {
            PhotoCrop[] crops = [.. draws.Select(draw => photos.CenterCrop(draw % photos.Count))];
            var x0 = model.Normalize(cat([.. crops.Select(crop => batches.Latents.Get(crop).Mean)]));
            var noise = randn(x0.shape, ScalarType.Float32, CPU, generator: generator).to(x0.device);
            var timesteps = model.NoiseProcess.TimesAt([.. draws.Select(draw => (draw + 0.5) / Samples)]).to(x0.device);
            var captions = crops
                .Zip(draws, (crop, draw) =>
                    photos.Caption(crop.PhotoIndex) ?? settings.Templates[draw % settings.Templates.Count]
                )
                .ToArray();
            var mask = photos.HasMasks
                ? stack(crops.Select(crop => photos.Mask(crop, (int)x0.shape[^1]))).to(x0.device)
                : null;
            _batches.Add(
                new TrainingBatch(
                    x0.DetachFromDisposeScope(),
                    noise.DetachFromDisposeScope(),
                    timesteps.DetachFromDisposeScope(),
                    [.. batches.Ids(captions).Select(ids => ids.DetachFromDisposeScope())],
                    photos.Sizes(crops).to(x0.device).DetachFromDisposeScope(),
                    mask?.DetachFromDisposeScope()
                )
            );
        }

        var tokenizer = model.Profile.Tokenizer;
        _probes = batches
            .Ids(settings.Kind == ConceptKind.Style ? _styleProbes : _objectProbes)[0]
            .DetachFromDisposeScope();
        var placed = _probes >= model.Profile.Encoders[0].Embeddings.VocabularySize;
        var end = _probes == tokenizer.EosTokenId;
        _words = ((placed.cumsum(1) == settings.VectorCount) & ~placed & (end.cumsum(1) == 0)).DetachFromDisposeScope();
        _undisturbed = States(start).DetachFromDisposeScope();
    }

    /// <summary>Measures the concept as it is now.</summary>
    /// <param name="step">Steps done.</param>
    /// <param name="embeddings">One per text encoder.</param>
    public TrainingCheck Measure(int step, IReadOnlyList<TrainableEmbedding> embeddings)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        _model.UseOnly(ModelParts.TextEncoders | ModelParts.Denoiser);
        Tensor[] rows = [.. embeddings.Select(embedding => embedding.Rows())];
        var loss =
            _batches.Sum(batch => _objective.Forward(batch, rows).Loss.item<float>() * batch.Latents.shape[0])
            / Samples;
        var cosine = nn.functional.cosine_similarity(States(rows[0]), _undisturbed, dim: -1); // (P, 77)
        return new TrainingCheck(step, loss, 1 - cosine.masked_select(_words).mean().item<float>());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var batch in _batches)
        {
            foreach (var part in batch.InputIds.Append(batch.Latents).Append(batch.Noise).Append(batch.Timesteps))
            {
                part.Dispose();
            }

            batch.Sizes?.Dispose();
            batch.Mask?.Dispose();
        }

        _probes.Dispose();
        _words.Dispose();
        _undisturbed.Dispose();
    }

    private Tensor States(Tensor rows) => _model.TextEncoders[0].LastHiddenState(_probes, rows).to(ScalarType.Float32);
}
