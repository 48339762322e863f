using System.Globalization;
using Dti.Cli.Files;
using Dti.Cli.Output;
using Dti.ClientSdk;

namespace Dti.Cli.Work;

/// <summary>What a training gave.</summary>
internal sealed record TrainingOutcome(
    TrainingAccepted Accepted,
    IReadOnlyList<TrainingProgress> Progress,
    IReadOnlyList<TrainingPreview> Previews,
    IReadOnlyList<TrainingWarning> Warnings,
    TrainingResult Result
);

/// <summary>Follows a training: shows it, keeps its events, writes its previews, cancels it on Ctrl+C.</summary>
internal sealed class TrainingRun(DtiClient client, IOutput output)
{
    private static readonly TimeSpan _askPatience = TimeSpan.FromSeconds(10);
    private string? _jobId;

    /// <summary>Folder for previews; null: they are not written.</summary>
    public string? PreviewFolder { get; init; }

    /// <summary>Folder for the curves of the run; null: they are not written.</summary>
    public string? LogFolder { get; init; }

    /// <summary>Codes of warnings that are not shown.</summary>
    public IReadOnlySet<string> ExpectedWarnings { get; init; } = new HashSet<string>();

    /// <summary>Trains; when <paramref name="cancellationToken"/> is cancelled, the job is too.</summary>
    public async Task<TrainingOutcome> RunAsync(TrainRequest request, CancellationToken cancellationToken)
    {
        try
        {
            return await FollowAsync(
                    request.Name,
                    client.TrainAsync(request, null, cancellationToken),
                    cancellationToken
                )
                .ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            await CancelAsync(request.RequestId!).ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Shows a job that runs anyway; leaving it does not stop it.</summary>
    public async Task<TrainingOutcome> FollowAsync(
        string title,
        IAsyncEnumerable<TrainingUpdate> updates,
        CancellationToken cancellationToken
    )
    {
        TrainingAccepted? accepted = null;
        TrainingResult? result = null;
        var progress = new List<TrainingProgress>();
        var previews = new List<TrainingPreview>();
        var warnings = new List<TrainingWarning>();
        await output
            .WithProgressAsync(title, async meter =>
            {
                using var log = new TrainingLog(LogFolder, output, TimeProvider.System);
                await foreach (var update in updates.ConfigureAwait(false))
                {
                    switch (update)
                    {
                        case TrainingAccepted first:
                            accepted = first;
                            _jobId = first.JobId;
                            output.Event("accepted", first);
                            output.Line(Describe(first));
                            log.Open(title, first.JobId);
                            break;
                        case TrainingQueued queued:
                            output.Event("queued", queued);
                            if (queued.Position > 0)
                                output.Line(
                                    $"{queued.Position} job(s) ahead of this one{(queued.ExpectedStart is { } start ? $", to start about {start.ToLocalTime():HH:mm}" : "")}."
                                );
                            break;
                        case TrainingProgress step:
                            progress.Add(step);
                            log.Add(step);
                            output.Event("progress", step);
                            meter.Report(step.Step, step.TotalSteps, Numbers.Training(step), step.TimeLeft);
                            break;
                        case TrainingCheck check:
                            log.Add(check);
                            output.Event("check", check);
                            output.Line(Numbers.Check(check));
                            break;
                        case TrainingPreview preview:
                            previews.Add(preview);
                            log.Add(preview);
                            await ShowAsync(title, preview, cancellationToken).ConfigureAwait(false);
                            break;
                        case TrainingWarning warning:
                            warnings.Add(warning);
                            if (!ExpectedWarnings.Contains(warning.Code))
                                output.Warning(warning.Code, warning.Message);
                            break;
                        case TrainingConnectionLost lost:
                            output.Event("connection_lost", lost);
                            output.Line(LostServer.Describe(lost.Since, lost.Until, "the training is not lost"));
                            break;
                        case TrainingResult last:
                            result = last;
                            output.Event("result", last);
                            if (last.Stopped.Length > 0)
                                output.Line(last.Stopped);
                            break;
                    }
                }
            })
            .ConfigureAwait(false);
        return new TrainingOutcome(accepted!, progress, previews, warnings, result!);
    }

    private static string Describe(TrainingAccepted accepted) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"job {accepted.JobId}: {accepted.Settings.Placeholder} from {accepted.PhotoCount} photo(s), {accepted.Settings.Model} on "
                + $"{accepted.Settings.Device} in {accepted.Settings.Dtype}, start {SettingsTable.Start(accepted.Settings)}, "
                + $"{accepted.Settings.Steps} steps{(accepted.StepsDone > 0 ? $", {accepted.StepsDone} of them done" : "")}, seed {accepted.Settings.Seed}"
        );

    private async Task ShowAsync(string title, TrainingPreview preview, CancellationToken cancellationToken)
    {
        string? path = null;
        if (PreviewFolder is not null)
        {
            var name = string.Create(
                CultureInfo.InvariantCulture,
                $"{title}-{preview.Step:D6}-{preview.Picture.Index}{preview.Picture.FileExtension}"
            );
            path = Path.Combine(PreviewFolder, name);
            await SafeFile
                .WriteAsync(path, preview.Picture.Data, overwrite: true, cancellationToken)
                .ConfigureAwait(false);
            output.Line($"preview {path}");
        }

        output.Event("preview", PictureEvent.Of(preview.Picture, path, preview.Step));
    }

    // Ctrl+C can come before the job's id is known; the request id finds it all the same.
    private async Task CancelAsync(string requestId)
    {
        if (_jobId is not null)
        {
            await LostServer.CancelAsync(client, output, _jobId).ConfigureAwait(false);
            return;
        }

        using var patience = new CancellationTokenSource(_askPatience);
        try
        {
            var jobs = await client
                .ListJobsAsync([JobState.Queued, JobState.Running], 1000, patience.Token)
                .ConfigureAwait(false);
            foreach (var job in jobs.Where(job => job.RequestId == requestId))
                await client.CancelJobAsync(job.JobId, patience.Token).ConfigureAwait(false);
        }
        catch (Exception exception) when (LostServer.IsUncertain(exception))
        {
            LostServer.Warn(output, exception);
        }
    }
}
