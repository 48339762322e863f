using System.Text.Json.Nodes;
using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Runtime;
using Dti.Engine.Training.Methods;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>A run between its first and its last step: all that changes from one step to the next.</summary>
internal sealed class TrainingRun : IDisposable
{
    private readonly TrainingSettings _settings;
    private readonly JsonObject _described;
    private readonly LearningMethod _method;
    private readonly string[] _keys; // of the text encoders, in embedding files
    private readonly BatchSampler _batches;
    private readonly DenoisingLoss _objective;
    private readonly TrainingMonitor _monitor;
    private readonly IReadOnlyList<TrainableEmbedding> _embeddings; // one per text encoder
    private readonly IReadOnlyList<IEmbeddingOptimizer> _optimizers; // one per embedding
    private readonly int[] _learnt; // which of them move
    private readonly TrainingChecks? _checks;
    private readonly EarlyStopping _stopping = new();
    private Tensor[] _best = []; // parameters of the best check, one per embedding

    /// <param name="model">The model.</param>
    /// <param name="settings">The settings.</param>
    /// <param name="photos">The photos.</param>
    /// <param name="from">Where to go on; null: at the start.</param>
    /// <exception cref="DtiException">The snapshot is of another run.</exception>
    public TrainingRun(IDiffusionModel model, TrainingSettings settings, TrainingSet photos, TrainingSnapshot? from)
    {
        (_settings, _described, _method) = (
            settings,
            TrainingSnapshot.Describe(settings, photos),
            LearningMethod.Of(settings.Method)
        );
        from?.EnsureContinues(_described, settings.Steps);
        _keys = [.. model.Profile.Encoders.Select(encoder => encoder.EmbeddingKey)];
        _batches = new BatchSampler(model, settings, photos);
        using (var started = NewDisposeScope())
        {
            var directions =
                settings.Start == TrainingStart.Photos ? PhotoStart.Directions(model, photos, _batches.Latents) : null;
            _embeddings =
            [
                .. model.Profile.Encoders.Select((_, encoder) => Start(model, encoder, directions?[encoder])),
            ];
        }

        _optimizers =
        [
            .. _embeddings.Select(
                (embedding, encoder) => _method.Optimizer(embedding, settings.MagnitudeValues[encoder], settings)
            ),
        ];
        _learnt = settings.TextEncoders switch
        {
            LearntEncoders.First => [0],
            LearntEncoders.Second => [1],
            _ => [.. Enumerable.Range(0, _embeddings.Count)],
        };
        _objective = new DenoisingLoss(model, settings.PredictionType);
        _monitor = new TrainingMonitor(settings);
        if (settings.CheckEvery > 0)
        {
            // rows are a new tensor, or the parameter itself, which is not to be disposed of
            using var scope = NewDisposeScope();
            _checks = new TrainingChecks(model, settings, photos, _batches, _embeddings[0].Rows());
        }

        if (from is not null)
        {
            try
            {
                Restore(from);
            }
            catch
            {
                Dispose();
                throw;
            }
        }
    }

    /// <summary>Steps done.</summary>
    public int StepsDone { get; private set; }

    /// <summary>The last step's numbers; null before the first.</summary>
    public TrainingStep? Last { get; private set; }

    /// <summary>The concept as it is now.</summary>
    public ConceptEmbedding Concept =>
        new(
            _settings.Placeholder,
            [
                .. _embeddings.Select(
                    (embedding, encoder) => _method.Result(embedding, _settings.MagnitudeValues[encoder])
                ),
            ],
            _keys
        );

    /// <summary>Does the next step.</summary>
    /// <exception cref="DtiException">The loss stopped being a number.</exception>
    public TrainingStep Step()
    {
        _monitor.BeginStep();
        using var scope = NewDisposeScope();
        var step = StepsDone + 1;
        var (loss, gradients) = _objective.Evaluate(_batches.Next(), _embeddings, _settings.GradientAccumulation);
        var value = loss.item<float>();
        if (!float.IsFinite(value))
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"The loss is {value} at step {step}: the model's numbers overflow. Try dtype fp32, or check the model's weights."
            );
        }

        using var section = StepProfile.In(StepPart.Optimizer);
        foreach (var encoder in _learnt)
        {
            _optimizers[encoder].LearningRate = _settings.LearningRateAt(step);
            _optimizers[encoder].Step(gradients[encoder]);
        }

        StepsDone = step;
        var norms = _learnt.SelectMany(encoder =>
            gradients[encoder].norm(1, keepdim: false, p: 2f).cpu().data<float>().ToArray()
        );
        return Last = _monitor.EndStep(step, value, [.. norms], [.. _learnt.Select(encoder => _embeddings[encoder])]);
    }

    /// <summary>Why the run should end before its last step; null: it should go on.</summary>
    public string? StopReason => _settings.StopEarly ? _stopping.Reason : null;

    /// <summary>The check that is due after the last step; null: none is.</summary>
    public TrainingCheck? Check()
    {
        if (_checks is null || StepsDone % _settings.CheckEvery != 0)
        {
            return null;
        }

        var check = _checks.Measure(StepsDone, _embeddings);
        if (_stopping.Note(check) && _settings.StopEarly)
        {
            KeepBest(_embeddings.Select(embedding => embedding.Parameter));
        }

        return check;
    }

    /// <summary>What was learnt: of the best check, if the run is to stop by itself, else of the last step.</summary>
    public TrainingFinished Finish()
    {
        if (_best.Length == 0)
        {
            return new TrainingFinished(Concept, Last!, StepsDone);
        }

        using var frozen = no_grad();
        foreach (var (embedding, best) in _embeddings.Zip(_best))
        {
            embedding.Parameter.copy_(best);
        }

        return new TrainingFinished(Concept, Last!, _stopping.Best!.Step, StopReason);
    }

    /// <summary>The run as it is now, to continue from another time.</summary>
    public TrainingSnapshot Snapshot()
    {
        using var frozen = no_grad();
        var tensors = Tensors()
            .ToDictionary(part => part.Name, part => part.Tensor.detach().cpu().clone().DetachFromDisposeScope());
        var sampler = _batches.Save();
        tensors.Add(TrainingSnapshot.NoiseState, sampler.Noise);
        foreach (var (encoder, best) in _best.Index())
        {
            tensors.Add(Best(encoder), best.cpu().clone().DetachFromDisposeScope());
        }

        return new TrainingSnapshot(
            StepsDone,
            _monitor.LossSum,
            sampler.Random,
            sampler.Round,
            [.. _stopping.Checks],
            _described,
            tensors
        );
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _batches.Dispose();
        _objective.Release();
        _checks?.Dispose();
        Array.ForEach(_best, best => best.Dispose());
        foreach (var part in _optimizers.Concat<IDisposable>(_embeddings))
        {
            part.Dispose();
        }
    }

    private void Restore(TrainingSnapshot from)
    {
        using var frozen = no_grad();
        foreach (var (name, tensor) in Tensors())
        {
            var saved = from.Get(name, tensor.shape);
            if (
                _settings.StartConcept is null
                && name.EndsWith(Mu, StringComparison.Ordinal)
                && !IsSameStart(saved, tensor.cpu())
            )
            {
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    "The snapshot was taken with other weights: its initial directions are not this model's. Go on with the model that it was begun with."
                );
            }

            tensor.copy_(saved);
        }

        foreach (var optimizer in _optimizers)
        {
            optimizer.StepCount = from.Step;
        }

        foreach (var check in from.Checks)
        {
            _stopping.Note(check);
        }

        if (_settings.StopEarly && from.Checks.Count > 0)
        {
            KeepBest(
                _embeddings.Select(
                    (embedding, encoder) =>
                        from.Get(Best(encoder), embedding.Parameter.shape).to(embedding.Parameter.device)
                )
            );
        }

        _batches.Restore(new SamplerState(from.Random, from.Round, from.Get(TrainingSnapshot.NoiseState)));
        _monitor.LossSum = from.LossSum;
        StepsDone = from.Step;
    }

    /// <summary>Whether μ of a snapshot is that of this run.</summary>
    /// <remarks>
    /// Token embeddings are the same everywhere. Directions from photos are computed, and rounded differently on other
    /// hardware; the run then continues with those of the snapshot.
    /// </remarks>
    private bool IsSameStart(Tensor saved, Tensor own) =>
        _settings.Initializer.Length > 0
            ? saved.eq(own).all().item<bool>()
            : (saved * own).sum(1).ge(LeastCosine).all().item<bool>();

    private void KeepBest(IEnumerable<Tensor> parameters)
    {
        Tensor[] kept = [.. parameters.Select(parameter => parameter.detach().clone().DetachFromDisposeScope())];
        Array.ForEach(_best, best => best.Dispose());
        _best = kept;
    }

    private static string Best(int encoder) => $"{encoder}.best";

    private const string Mu = "mu";
    private const double LeastCosine = 0.99; // between one direction, computed on two machines

    /// <summary>What a snapshot holds of the embeddings and their optimisers.</summary>
    private IEnumerable<(string Name, Tensor Tensor)> Tensors() =>
        _embeddings
            .Zip(_optimizers)
            .SelectMany(
                (part, encoder) =>
                    new[] { ("parameter", part.First.Parameter), (Mu, part.First.Initial) }
                        .Concat(part.Second.State.Select(state => (state.Key, state.Value)))
                        .Select(tensor => ($"{encoder}.{tensor.Item1}", tensor.Item2))
            );

    /// <param name="model">The model.</param>
    /// <param name="encoder">Which text encoder.</param>
    /// <param name="direction">(1, d), what the photos give; null: training does not start there.</param>
    private TrainableEmbedding Start(IDiffusionModel model, int encoder, Tensor? direction)
    {
        using var scope = NewDisposeScope();
        var word =
            _settings.Initializer.Length > 0
                ? _method.Start(model, encoder, _settings.Initializer, _settings.VectorCount)
                : null; // (n, d)
        var magnitude = _settings.MagnitudeValues[encoder];
        var start =
            _settings.StartConcept?.Encoders[encoder] is { } vectors
                ? stack(Enumerable.Range(0, vectors.Count).Select(i => tensor(vectors.Embedding(i))))
                    .to(model.Target.Device)
            : direction is not null ? (direction * magnitude).expand(_settings.VectorCount, -1)
            : word!; // (n, d)
        return _method.Embedding(start, magnitude, word);
    }
}
