using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Training.Methods;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// Learns a concept by Directional Textual Inversion (arXiv 2512.13672, algorithm 1): the model stays as it is, only the
/// directions of the placeholder's vectors move. Or, to compare, by one of the baselines of <see cref="TrainingMethod"/>.
/// </summary>
/// <param name="model">The model; one run at a time may use it.</param>
/// <param name="settings">The settings.</param>
/// <param name="photos">The photos, loaded at the settings' resolution.</param>
public sealed class Trainer(StableDiffusionModel model, TrainingSettings settings, TrainingSet photos)
{
    private readonly LearningMethod _method = LearningMethod.Of(settings.Method);

    /// <summary>Trains. Each event is made when it is asked for, on the caller's thread: at most one step or one preview at a time.</summary>
    /// <param name="cancellationToken">Stops the run within one step, with nothing left behind.</param>
    /// <returns>Warnings, then steps and previews, then <see cref="TrainingFinished"/>.</returns>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="DtiException">The loss stopped being a number.</exception>
    public IEnumerable<TrainingEvent> Run(CancellationToken cancellationToken)
    {
        foreach (var warning in settings.Warnings)
        {
            yield return warning;
        }

        using var learnt = new Learnt([.. model.Profile.Encoders.Select((_, encoder) => Start(encoder))]);
        using var batches = new BatchSampler(model, settings, photos);
        var objective = new DenoisingLoss(model, settings.PredictionType);
        var monitor = new TrainingMonitor(settings);

        TrainingStep? last = null;
        for (var step = 1; step <= settings.Steps; step++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            monitor.BeginStep();
            last = Step(step, batches, objective, learnt, monitor);
            yield return last;

            if (settings.PreviewEvery > 0 && (step % settings.PreviewEvery == 0 || step == settings.Steps))
            {
                foreach (var preview in Previews(step, learnt, cancellationToken))
                {
                    yield return preview;
                }
            }
        }

        yield return new TrainingFinished(Concept(learnt), last!);
    }

    private static TrainingStep Step(int step, BatchSampler batches, DenoisingLoss objective, Learnt learnt, TrainingMonitor monitor)
    {
        using var scope = NewDisposeScope();
        var (loss, gradients) = objective.Evaluate(batches.Next(), learnt.Embeddings);
        var value = loss.item<float>();
        if (!float.IsFinite(value))
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"The loss is {value} at step {step}: the model's numbers overflow. Try dtype fp32, or check the model's weights.");
        }

        foreach (var (gradient, (_, optimizer)) in gradients.Zip(learnt.Parts))
        {
            optimizer.Step(gradient);
        }

        return monitor.EndStep(step, value, [.. gradients.SelectMany(gradient => gradient.norm(1, keepdim: false, p: 2f).cpu().data<float>().ToArray())], learnt.Embeddings);
    }

    private IEnumerable<TrainingPreview> Previews(int step, Learnt learnt, CancellationToken cancellationToken)
    {
        var concept = Concept(learnt);
        for (var index = 0; index < settings.PreviewPrompts.Count; index++)
        {
            var generation = settings.PreviewGeneration(index, model.Profile);
            foreach (var image in new TextToImage(model).Run(generation, [concept], cancellationToken).OfType<GeneratedImage>())
            {
                yield return new TrainingPreview(step, index, image.Image, image.Prompt, generation.Seed);
            }
        }
    }

    private ConceptEmbedding Concept(Learnt learnt) =>
        new(settings.Placeholder, [.. learnt.Embeddings.Select((embedding, encoder) => _method.Result(embedding, settings.MagnitudeValues[encoder]))]);

    private (TrainableEmbedding Embedding, IEmbeddingOptimizer Optimizer) Start(int encoder)
    {
        using var start = _method.Start(model, encoder, settings.Initializer, settings.VectorCount); // (n, d)
        var magnitude = settings.MagnitudeValues[encoder];
        var embedding = _method.Embedding(start, magnitude);
        return (embedding, _method.Optimizer(embedding, magnitude, settings));
    }

    /// <summary>What is learnt: an embedding per text encoder, each with its optimiser.</summary>
    private sealed record Learnt(IReadOnlyList<(TrainableEmbedding Embedding, IEmbeddingOptimizer Optimizer)> Parts) : IDisposable
    {
        public IReadOnlyList<TrainableEmbedding> Embeddings { get; } = [.. Parts.Select(part => part.Embedding)];

        public void Dispose()
        {
            foreach (var (embedding, optimizer) in Parts)
            {
                optimizer.Dispose();
                embedding.Dispose();
            }
        }
    }
}
