using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Training;
using Dti.Engine.Training.Methods;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// Trains several concepts of the same method at once: each keeps its own photos, noise, captions and optimizer, as in
/// a <see cref="Trainer"/>, and the model computes all of them in one batch, which takes a small model a third of the
/// time. Results are those of separate trainings, up to rounding.
/// </summary>
internal sealed class ConceptBatch : IDisposable
{
    private readonly IDiffusionModel _model;
    private readonly DenoisingLoss _objective;
    private readonly Member[] _members;

    /// <param name="model">A model with one text encoder; one batch at a time may use it.</param>
    /// <param name="runs">Settings and photos of each concept. Steps, batch size and number of vectors are equal, and
    /// gradients are not accumulated.</param>
    public ConceptBatch(IDiffusionModel model, IEnumerable<(TrainingSettings Settings, TrainingSet Photos)> runs)
    {
        _model = model;
        _members = [.. runs.Select(run => new Member(model, run.Settings, run.Photos))];
        _objective = new DenoisingLoss(model, _members[0].Settings.PredictionType);
    }

    /// <summary>Trains, and gives the concepts in the order of the runs.</summary>
    public IReadOnlyList<ConceptEmbedding> Run()
    {
        for (var step = 1; step <= _members[0].Settings.Steps; step++)
        {
            Step(step);
        }

        return [.. _members.Select(member => member.Concept(_model.Profile))];
    }

    private void Step(int step)
    {
        using var scope = NewDisposeScope();
        var batches = _members.Select(member => member.Batches.Next()).ToArray();
        var vocabulary = _model.Profile.Encoders[0].Embeddings.VocabularySize;
        var vectors = _members[0].Settings.VectorCount;
        var batch = new TrainingBatch(
            cat([.. batches.Select(part => part.Latents)]),
            cat([.. batches.Select(part => part.Noise)]),
            cat([.. batches.Select(part => part.Timesteps)]),
            // the placeholders of the second concept follow those of the first
            [
                cat([
                    .. batches.Select(
                        (part, member) =>
                        {
                            var ids = part.InputIds[0];
                            return where(ids >= vocabulary, ids + (member * vectors), ids);
                        }
                    ),
                ]),
            ],
            cat([.. batches.Select(part => part.Sizes!)])
        );
        var rows = cat([.. _members.Select(member => member.Embedding.Rows())]);
        var gradients = AutogradBridge.Run(() =>
        {
            var (loss, _) = _objective.Forward(batch, [rows]);
            // each concept's own loss is a mean over its images
            return autograd.grad([loss * _members.Length], [.. _members.Select(member => member.Embedding.Parameter)]);
        });
        foreach (var (member, gradient) in _members.Zip(gradients))
        {
            member.Optimizer.LearningRate = member.Settings.LearningRateAt(step);
            member.Optimizer.Step(gradient);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _objective.Release();
        foreach (var member in _members)
        {
            member.Dispose();
        }
    }

    /// <summary>One concept.</summary>
    private sealed class Member : IDisposable
    {
        private readonly LearningMethod _method;

        public Member(IDiffusionModel model, TrainingSettings settings, TrainingSet photos)
        {
            using var scope = NewDisposeScope();
            (Settings, _method) = (settings, LearningMethod.Of(settings.Method));
            Batches = new BatchSampler(model, settings, photos);
            var start = settings.StartsAtWord
                ? _method.Start(model, encoder: 0, settings.Initializer, settings.VectorCount)
                : (PhotoStart.Directions(model, photos, Batches.Latents)[0] * settings.MagnitudeValue).expand(
                    settings.VectorCount,
                    -1
                );
            Embedding = _method.Embedding(start, settings.MagnitudeValue);
            Optimizer = _method.Optimizer(Embedding, settings.MagnitudeValue, settings);
        }

        public TrainingSettings Settings { get; }

        public TrainableEmbedding Embedding { get; }

        public IEmbeddingOptimizer Optimizer { get; }

        public BatchSampler Batches { get; }

        public ConceptEmbedding Concept(ModelProfile profile) =>
            new(
                Settings.Placeholder,
                [_method.Result(Embedding, Settings.MagnitudeValue)],
                [profile.Encoders[0].EmbeddingKey]
            );

        public void Dispose()
        {
            Optimizer.Dispose();
            Batches.Dispose();
            Embedding.Dispose();
        }
    }
}
