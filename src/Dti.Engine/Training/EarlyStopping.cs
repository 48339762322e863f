using System.Globalization;

namespace Dti.Engine.Training;

/// <summary>Which of a run's checks was best, and when no better one is to be expected.</summary>
internal sealed class EarlyStopping
{
    // Checks without a better one after which a run ends, and how much of the loss's fall so far a better one must add.
    private const int Patience = 4;
    private const double Gain = 0.01;
    private readonly List<TrainingCheck> _checks = [];

    /// <summary>Checks so far, in order.</summary>
    public IReadOnlyList<TrainingCheck> Checks => _checks;

    /// <summary>The best one; null: there was none.</summary>
    public TrainingCheck? Best { get; private set; }

    /// <summary>Why the run should end now, in one sentence; null: it should go on.</summary>
    public string? Reason { get; private set; }

    /// <summary>Takes note of a check.</summary>
    /// <returns>Whether it is the best one so far.</returns>
    public bool Note(TrainingCheck check)
    {
        _checks.Add(check);
        if (check.Step == 0)
        {
            return false; // what the others are measured against: the initial word has learnt nothing
        }

        var fall = _checks[0].HeldOutLoss - (Best?.HeldOutLoss ?? double.PositiveInfinity);
        var better = Best is null || check.HeldOutLoss < Best.HeldOutLoss - (Gain * Math.Max(0, fall));
        Best = better ? check : Best;
        var since = _checks.Count - 1 - _checks.IndexOf(Best!);
        Reason =
            since < Patience
                ? null
                : string.Create(
                    CultureInfo.InvariantCulture,
                    $"The loss at noise that training does not see was lowest at step {Best!.Step} ({Best.HeldOutLoss:0.0000}) and has not fallen in the {check.Step - Best.Step} steps since, so the concept is that of step {Best.Step}."
                );
        return better;
    }
}
