using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Models;

namespace Dti.Engine.Training;

/// <summary>
/// Learns a concept by Directional Textual Inversion (arXiv 2512.13672, algorithm 1): the model stays as it is, only
/// the directions of the placeholder's vectors move. Or, to compare, by one of the baselines of <see
/// cref="TrainingMethod"/>.
/// </summary>
/// <param name="model">The model; one run at a time may use it.</param>
/// <param name="settings">The settings.</param>
/// <param name="photos">The photos, loaded at the settings' resolution.</param>
public sealed class Trainer(IDiffusionModel model, TrainingSettings settings, TrainingSet photos)
{
    private TrainingRun? _run;

    /// <summary>
    /// Called when all of a step has been told, its check and previews too: a snapshot taken here leaves nothing of the
    /// step to be done again.
    /// </summary>
    public Action? StepDone { get; set; }

    /// <summary>Trains from the start.</summary>
    /// <inheritdoc cref="Run(TrainingSnapshot?, CancellationToken)"/>
    public IEnumerable<TrainingEvent> Run(CancellationToken cancellationToken) => Run(null, cancellationToken);

    /// <summary>
    /// Trains. Each event is made when it is asked for, on the caller's thread: at most one step or one preview at a
    /// time.
    /// </summary>
    /// <param name="from">Where to go on: the same numbers come out as if the run had never stopped. Null: at the
    /// start.</param>
    /// <param name="cancellationToken">Stops the run within one step, with nothing left behind.</param>
    /// <returns>Warnings, then steps, checks and previews, then <see cref="TrainingFinished"/>.</returns>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="DtiException">The loss stopped being a number; the snapshot is of another run, or has done all
    /// steps already.</exception>
    public IEnumerable<TrainingEvent> Run(TrainingSnapshot? from, CancellationToken cancellationToken)
    {
        foreach (var warning in settings.Warnings.Concat(photos.Warnings))
        {
            yield return warning;
        }

        using var run = new TrainingRun(model, settings, photos, from);
        _run = run;
        try
        {
            if (settings.PreviewBaseline && settings.PreviewEvery > 0 && from is null)
            {
                foreach (
                    var preview in Previews(
                        run,
                        settings.Start is null ? settings.Initializer : settings.Placeholder,
                        cancellationToken
                    )
                )
                {
                    yield return preview;
                }
            }

            if (from is null && run.Check() is { } before)
            {
                yield return before;
            }

            var stop = false;
            while (run.StepsDone < settings.Steps && !stop)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var step = run.Step();
                yield return step;

                var check = run.Check();
                if (check is not null)
                {
                    yield return check;
                }

                stop = check is not null && run.StopReason is not null;
                if (
                    settings.PreviewEvery > 0
                    && (step.Step % settings.PreviewEvery == 0 || step.Step == settings.Steps || stop)
                )
                {
                    foreach (var preview in Previews(run, settings.Placeholder, cancellationToken))
                    {
                        yield return preview;
                    }
                }

                StepDone?.Invoke();
            }

            yield return run.Finish();
        }
        finally
        {
            _run = null;
        }
    }

    /// <summary>The run as it is between two events. The caller disposes of it.</summary>
    /// <exception cref="InvalidOperationException">No run is under way.</exception>
    public TrainingSnapshot Snapshot() =>
        _run?.Snapshot() ?? throw new InvalidOperationException("A snapshot is taken while a run is under way.");

    /// <summary>The concept as it is between two events.</summary>
    /// <exception cref="InvalidOperationException">No run is under way.</exception>
    public ConceptEmbedding Concept() =>
        _run?.Concept ?? throw new InvalidOperationException("A concept is taken while a run is under way.");

    /// <param name="run">The run.</param>
    /// <param name="word">What stands in the concept's place.</param>
    /// <param name="cancellationToken">Stops the generation.</param>
    private IEnumerable<TrainingPreview> Previews(TrainingRun run, string word, CancellationToken cancellationToken)
    {
        var concept = run.Concept;
        for (var index = 0; index < settings.PreviewPrompts.Count; index++)
        {
            var generation = settings.PreviewGeneration(index, model.Profile, word);
            foreach (
                var image in new TextToImage(model)
                    .Run(generation, [concept], cancellationToken)
                    .OfType<GeneratedImage>()
            )
            {
                yield return new TrainingPreview(run.StepsDone, index, image.Image, image.Prompt, generation.Seed);
            }
        }
    }
}
