using System.Globalization;
using Dti.Cli.Files;
using Dti.Cli.Output;
using Dti.ClientSdk;

namespace Dti.Cli.Work;

/// <summary>What a generation or an interpolation gave.</summary>
internal sealed record GenerationOutcome(
    GenerationSettings Settings,
    InterpolationAccepted? Interpolation,
    IReadOnlyList<Picture> Pictures,
    GenerationResult Result
);

/// <summary>Follows a generation or an interpolation: shows it, keeps its images and writes them.</summary>
internal sealed class GenerationRun(IOutput output)
{
    private string? _lostJobId; // of a job whose server is away

    /// <summary>Writes an image and returns its path; null: images are not written.</summary>
    public Func<Picture, CancellationToken, Task<string>>? WriteAsync { get; init; }

    /// <summary>
    /// Cancels the job of a run that is cancelled while the server is away; null: it is only watched.
    /// </summary>
    public DtiClient? Canceller { get; init; }

    /// <summary>Folder for intermediate images; null: they are not written.</summary>
    public string? PreviewFolder { get; init; }

    public async Task<GenerationOutcome> RunAsync(
        string title,
        IAsyncEnumerable<GenerationUpdate> updates,
        CancellationToken cancellationToken
    )
    {
        try
        {
            return await FollowAsync(title, updates, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
            when (cancellationToken.IsCancellationRequested && _lostJobId is not null && Canceller is not null)
        {
            await LostServer.CancelAsync(Canceller, output, _lostJobId).ConfigureAwait(false);
            throw;
        }
    }

    private async Task<GenerationOutcome> FollowAsync(
        string title,
        IAsyncEnumerable<GenerationUpdate> updates,
        CancellationToken cancellationToken
    )
    {
        var jobId = "";
        GenerationSettings? settings = null;
        InterpolationAccepted? interpolation = null;
        GenerationResult? result = null;
        var pictures = new List<Picture>();
        await output
            .WithProgressAsync(title, async meter =>
            {
                await foreach (var update in updates.ConfigureAwait(false))
                {
                    _lostJobId = update is GenerationConnectionLost ? jobId : null;
                    switch (update)
                    {
                        case GenerationAccepted accepted:
                            jobId = accepted.JobId;
                            settings = accepted.Settings;
                            output.Event("accepted", accepted);
                            output.Line(Describe(settings));
                            break;
                        case InterpolationAccepted accepted:
                            jobId = accepted.JobId;
                            interpolation = accepted;
                            settings = accepted.Settings;
                            output.Event("accepted", accepted);
                            output.Line($"{Describe(settings)}, {Angles(accepted)} apart");
                            break;
                        case GenerationQueued queued:
                            output.Event("queued", queued);
                            if (queued.Position > 0)
                                output.Line(
                                    $"{queued.Position} job(s) ahead of this one{(queued.ExpectedStart is { } start ? $", to start about {start.ToLocalTime():HH:mm}" : "")}."
                                );
                            break;
                        case SamplingProgress step:
                            output.Event("progress", step with { Preview = null }); // its bytes go into a file
                            meter.Report(step.Step, step.TotalSteps, "steps", step.TimeLeft);
                            if (step.Preview is { } preview)
                                await ShowPreviewAsync(
                                        preview,
                                        step.Step - (preview.Index * settings!.Steps),
                                        cancellationToken
                                    )
                                    .ConfigureAwait(false);
                            break;
                        case GenerationWarning warning:
                            output.Warning(warning.Code, warning.Message);
                            break;
                        case GenerationConnectionLost lost:
                            output.Event("connection_lost", lost);
                            output.Line(
                                LostServer.Describe(
                                    lost.Since,
                                    lost.Until,
                                    "the rest of the images is generated when it is back"
                                )
                            );
                            break;
                        case GeneratedPicture { Picture: var picture }:
                            pictures.Add(picture);
                            await ShowAsync(picture, cancellationToken).ConfigureAwait(false);
                            break;
                        case GenerationResult last:
                            result = last;
                            output.Event("result", last);
                            break;
                    }
                }
            })
            .ConfigureAwait(false);
        return new GenerationOutcome(settings!, interpolation, pictures, result!);
    }

    private static string Describe(GenerationSettings settings) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{settings.Model} on {settings.Device} in {settings.Dtype}, {settings.Width}×{settings.Height}, {settings.Steps} steps of "
                + $"{settings.Scheduler}, guidance {settings.GuidanceScale}, seed {settings.Seed}"
        );

    private static string Angles(InterpolationAccepted accepted) =>
        string.Join(
            ", ",
            accepted.AnglesDegrees.Select(angle => string.Create(CultureInfo.InvariantCulture, $"{angle:F1}°"))
        );

    private async Task ShowPreviewAsync(Picture preview, int step, CancellationToken cancellationToken)
    {
        string? path = null;
        if (PreviewFolder is not null)
        {
            path = Path.Combine(
                PreviewFolder,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"preview-{preview.Index + 1:D3}-{step:D4}{preview.FileExtension}"
                )
            );
            await SafeFile.WriteAsync(path, preview.Data, overwrite: true, cancellationToken).ConfigureAwait(false);
        }

        output.Event("preview", PictureEvent.Of(preview, path, step));
    }

    private async Task ShowAsync(Picture picture, CancellationToken cancellationToken)
    {
        var path = WriteAsync is null ? null : await WriteAsync(picture, cancellationToken).ConfigureAwait(false);
        output.Event("picture", PictureEvent.Of(picture, path));
        if (path is not null)
            output.Line($"image {path}");
    }
}
