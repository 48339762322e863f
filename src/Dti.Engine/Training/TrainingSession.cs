using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Models;

namespace Dti.Engine.Training;

/// <summary>One run of a <see cref="Trainer"/>: its events, and its state between two of them.</summary>
public sealed class TrainingSession
{
    private readonly IDiffusionModel _model;
    private readonly TrainingSettings _settings;
    private readonly TrainingSet _photos;
    private readonly TrainingSnapshot? _from;
    private TrainingRun? _run;
    private bool _isStarted;

    internal TrainingSession(
        IDiffusionModel model,
        TrainingSettings settings,
        TrainingSet photos,
        TrainingSnapshot? from
    ) => (_model, _settings, _photos, _from) = (model, settings, photos, from);

    /// <summary>
    /// Trains. Each event is made when it is asked for, on the caller's thread: at most one step or one preview at a
    /// time.
    /// </summary>
    /// <param name="cancellationToken">Stops the run within one step, with nothing left behind.</param>
    /// <param name="stepDone">Called after all events of a step, its check and previews too: a snapshot taken here
    /// leaves nothing of the step to be done again.</param>
    /// <returns>Warnings, then steps, checks and previews, then <see cref="TrainingFinished"/>.</returns>
    /// <exception cref="InvalidOperationException">The session was run before.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    /// <exception cref="DtiException">The loss stopped being a number; the snapshot is of another run, or has done all
    /// steps already.</exception>
    public IEnumerable<TrainingEvent> Run(CancellationToken cancellationToken, Action<TrainingSession>? stepDone = null)
    {
        if (_isStarted)
        {
            throw new InvalidOperationException("A session is run once. Begin another one.");
        }

        _isStarted = true;
        foreach (var warning in _settings.Warnings.Concat(_photos.Warnings))
        {
            yield return warning;
        }

        using var run = new TrainingRun(_model, _settings, _photos, _from);
        _run = run;
        try
        {
            if (_settings.PreviewBaseline && _settings.PreviewEvery > 0 && _from is null)
            {
                foreach (
                    var preview in Previews(
                        run,
                        _settings.StartsAtWord ? _settings.Initializer : _settings.Placeholder,
                        cancellationToken
                    )
                )
                {
                    yield return preview;
                }
            }

            if (_from is null && run.Check() is { } before)
            {
                yield return before;
            }

            var stop = false;
            while (run.StepsDone < _settings.Steps && !stop)
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
                    _settings.PreviewEvery > 0
                    && (step.Step % _settings.PreviewEvery == 0 || step.Step == _settings.Steps || stop)
                )
                {
                    foreach (var preview in Previews(run, _settings.Placeholder, cancellationToken))
                    {
                        yield return preview;
                    }
                }

                stepDone?.Invoke(this);
            }

            yield return run.Finish();
        }
        finally
        {
            _run = null;
        }
    }

    /// <summary>The run as it is between two events. The caller disposes of it.</summary>
    /// <exception cref="InvalidOperationException">The run has not begun, or has ended.</exception>
    public TrainingSnapshot Snapshot() =>
        _run?.Snapshot() ?? throw new InvalidOperationException("A snapshot is taken while a run is under way.");

    /// <summary>The concept as it is between two events.</summary>
    /// <exception cref="InvalidOperationException">The run has not begun, or has ended.</exception>
    public ConceptEmbedding Concept() =>
        _run?.Concept ?? throw new InvalidOperationException("A concept is taken while a run is under way.");

    /// <param name="run">The run.</param>
    /// <param name="word">What stands in the concept's place.</param>
    /// <param name="cancellationToken">Stops the generation.</param>
    private IEnumerable<TrainingPreview> Previews(TrainingRun run, string word, CancellationToken cancellationToken)
    {
        var concept = run.Concept;
        for (var index = 0; index < _settings.PreviewPrompts.Count; index++)
        {
            var generation = _settings.PreviewGeneration(index, _model.Profile, word);
            foreach (
                var image in new TextToImage(_model)
                    .Run(generation, [concept], cancellationToken)
                    .OfType<GeneratedImage>()
            )
            {
                yield return new TrainingPreview(run.StepsDone, index, image.Image, image.Prompt, generation.Seed);
            }
        }
    }
}
