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
    /// <summary>Begins a run.</summary>
    /// <param name="from">Where to go on: the same numbers come out as if the run had never stopped. Null: at the
    /// start.</param>
    public TrainingSession Begin(TrainingSnapshot? from = null) => new(model, settings, photos, from);

    /// <summary>Trains from the start.</summary>
    /// <inheritdoc cref="Run(TrainingSnapshot?, CancellationToken)"/>
    public IEnumerable<TrainingEvent> Run(CancellationToken cancellationToken) => Run(null, cancellationToken);

    /// <summary>Trains.</summary>
    /// <param name="from">As for <see cref="Begin"/>.</param>
    /// <param name="cancellationToken">Stops the run within one step, with nothing left behind.</param>
    /// <inheritdoc cref="TrainingSession.Run"/>
    public IEnumerable<TrainingEvent> Run(TrainingSnapshot? from, CancellationToken cancellationToken) =>
        Begin(from).Run(cancellationToken);
}
