using System.Diagnostics;
using Dti.Server.Jobs.Storage;
using Dti.Server.Telemetry;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Jobs;

/// <summary>
/// Runs one attempt on the device's thread, event by event, so that another job can run between two. Owns the attempt.
/// </summary>
internal sealed class AttemptExecution : IDisposable
{
    private readonly IJobRunner _runner;
    private readonly JobFolder _folder;
    private readonly Func<bool> _isDuringTraining;
    private readonly ILogger _logger;
    private readonly IDisposable? _scope;
    private readonly RunningJob _telemetry;
    private readonly Stopwatch _clock;
    private readonly int _firstStep;
    private IEnumerator<(int Step, IMessage Message)>? _events;

    /// <param name="attempt">The attempt.</param>
    /// <param name="runner">Computes its events.</param>
    /// <param name="folder">Has its request.</param>
    /// <param name="isDuringTraining">Whether a training is paused meanwhile.</param>
    /// <param name="logger">Hears of its start and its end.</param>
    public AttemptExecution(
        JobAttempt attempt,
        IJobRunner runner,
        JobFolder folder,
        Func<bool> isDuringTraining,
        ILogger logger
    )
    {
        (Attempt, _runner, _folder, _isDuringTraining, _logger) = (attempt, runner, folder, isDuringTraining, logger);
        var ticket = attempt.Ticket;
        _scope = logger.JobScope(ticket.JobId);
        _telemetry = JobTelemetry.Start(ticket.JobId, ticket.Kind, ticket.TraceParent);
        logger.JobStarted(ticket.JobId);
        (_clock, _firstStep) = (Stopwatch.StartNew(), attempt.Step);
    }

    /// <summary>The attempt.</summary>
    public JobAttempt Attempt { get; }

    /// <summary>How it ended; null: it has not.</summary>
    public AttemptOutcome? Outcome { get; private set; }

    /// <summary>Whether the last event was a step of a training.</summary>
    public bool IsBetweenTrainingSteps { get; private set; }

    /// <summary>What a step took, without pauses.</summary>
    public double SecondsPerStep => _clock.Elapsed.TotalSeconds / Math.Max(1, Attempt.Step - _firstStep);

    /// <summary>Computes and reports the next event.</summary>
    /// <returns>False: there is none, and the attempt has an <see cref="Outcome"/>.</returns>
    public bool MoveNext()
    {
        try
        {
            if (ReportNext())
            {
                return true;
            }

            Attempt.Flush();
            _telemetry.End(JobState.Succeeded);
            Outcome = new AttemptOutcome(AttemptEnd.Succeeded);
        }
        catch (Exception error)
        {
            Outcome = Note(
                AttemptOutcome.Of(
                    error,
                    Attempt.Ticket,
                    Attempt.Token.IsCancellationRequested,
                    Attempt.IsCancelled,
                    _isDuringTraining(),
                    _folder.Of(Attempt.Ticket.JobId)
                )
            );
        }

        return false;
    }

    /// <summary>Another job uses the device until the scope is disposed of.</summary>
    public IDisposable Pause()
    {
        _clock.Stop();
        return new Paused(_clock);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _telemetry.Dispose();
        _scope?.Dispose();
        Attempt.Dispose();
    }

    /// <summary>What the runner holds for the events is released before the attempt has an outcome.</summary>
    private bool ReportNext()
    {
        var hasNext = false;
        try
        {
            if (_events is null)
            {
                Attempt.Token.ThrowIfCancellationRequested();
                var request = _folder.Request(Attempt.Ticket.JobId, Attempt.Ticket.Kind);
                _events = _telemetry.Watch(_runner.Run(request, Attempt, Attempt.Token)).GetEnumerator();
            }

            if (_events.MoveNext())
            {
                var (step, message) = _events.Current;
                Attempt.Report(step, message);
                IsBetweenTrainingSteps = message is TrainResponse { Progress: not null };
                hasNext = true;
            }

            return hasNext;
        }
        finally
        {
            if (!hasNext)
            {
                _events?.Dispose();
            }
        }
    }

    private AttemptOutcome Note(AttemptOutcome outcome)
    {
        var error = outcome.Error!;
        if (outcome.End is AttemptEnd.Failed or AttemptEnd.Lost)
        {
            if (outcome.IsForeseen)
            {
                _logger.JobRefused(Attempt.Ticket.JobId, error.Message);
            }
            else
            {
                _logger.UnexpectedJobFailure(error, Attempt.Ticket.JobId);
            }
        }

        _telemetry.End(
            outcome.End == AttemptEnd.Failed ? JobState.Failed : JobState.Cancelled,
            outcome.IsForeseen ? error.Message : error.GetType().Name
        );
        return outcome;
    }

    private sealed class Paused(Stopwatch clock) : IDisposable
    {
        public void Dispose() => clock.Start();
    }
}
