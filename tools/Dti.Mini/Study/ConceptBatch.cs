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
        for (var step = 1; step <= _members[0].Settings.Steps && !_members.All(member => member.HasStopped); step++)
        {
            Step(step);
            Array.ForEach(_members, member => member.Check(step));
        }

        return [.. _members.Select(member => member.Concept)];
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
            [cat([.. batches.Select((part, member) => OfConcept(member, part.InputIds[0], vocabulary, vectors))])],
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

    /// <summary>Ids of one of several concepts in a batch: its placeholders follow those of the one before.</summary>
    /// <param name="concept">Which concept, from 0.</param>
    /// <param name="ids">(B, 77) int64, as if it were alone.</param>
    /// <param name="vocabulary">Tokens of the vocabulary; placeholders have the ids after them.</param>
    /// <param name="vectors">Vectors of each concept.</param>
    public static Tensor OfConcept(int concept, Tensor ids, int vocabulary, int vectors) =>
        where(ids >= vocabulary, ids + (concept * vectors), ids);

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
        private readonly string _key; // of the text encoder, in embedding files
        private readonly TrainingChecks? _checks;
        private readonly EarlyStopping _stopping = new();
        private ConceptEmbedding? _best;

        public Member(IDiffusionModel model, TrainingSettings settings, TrainingSet photos)
        {
            using var scope = NewDisposeScope();
            (Settings, _method) = (settings, LearningMethod.Of(settings.Method));
            _key = model.Profile.Encoders[0].EmbeddingKey;
            Batches = new BatchSampler(model, settings, photos);
            var start = settings.StartsAtWord
                ? _method.Start(model, encoder: 0, settings.Initializer, settings.VectorCount)
                : (PhotoStart.Directions(model, photos, Batches.Latents)[0] * settings.MagnitudeValue).expand(
                    settings.VectorCount,
                    -1
                );
            Embedding = _method.Embedding(start, settings.MagnitudeValue);
            Optimizer = _method.Optimizer(Embedding, settings.MagnitudeValue, settings);
            if (settings.StopEarly)
            {
                _checks = new TrainingChecks(model, settings, photos, Batches, Embedding.Rows());
                Check(step: 0);
            }
        }

        public TrainingSettings Settings { get; }

        public TrainableEmbedding Embedding { get; }

        public IEmbeddingOptimizer Optimizer { get; }

        public BatchSampler Batches { get; }

        /// <summary>Whether its training has ended before the others'.</summary>
        public bool HasStopped => _stopping.Reason is not null;

        /// <summary>Of the best check if the training stops early, else of the last step.</summary>
        public ConceptEmbedding Concept => _best ?? Now;

        private ConceptEmbedding Now =>
            new(Settings.Placeholder, [_method.Result(Embedding, Settings.MagnitudeValue)], [_key]);

        /// <summary>The check that is due after a step, if one is.</summary>
        public void Check(int step)
        {
            if (
                _checks is not null
                && !HasStopped
                && step % Settings.CheckEvery == 0
                && _stopping.Note(_checks.Measure(step, [Embedding]))
            )
            {
                _best = Now;
            }
        }

        public void Dispose()
        {
            _checks?.Dispose();
            Optimizer.Dispose();
            Batches.Dispose();
            Embedding.Dispose();
        }
    }
}
