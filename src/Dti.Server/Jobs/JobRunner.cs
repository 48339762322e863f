using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Imaging;
using Dti.Engine.Models;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;
using Dti.Server.Configuration;
using Dti.Server.Libraries;
using Dti.Server.Mapping;
using Dti.Server.Security;
using Dti.Server.Telemetry;
using Dti.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;
using GenerationSettings = Dti.Engine.Generation.GenerationSettings;
using TrainingSettings = Dti.Engine.Training.TrainingSettings;

namespace Dti.Server.Jobs;

/// <summary>
/// Runs the stored request of a job on the engine. Every setting in it was resolved when the job was accepted; the
/// engine reads it by the same functions, so that a job that was accepted by an earlier release, and lacks a newer
/// setting, gets that setting's default.
/// </summary>
internal sealed class JobRunner(
    DtiServerOptions options,
    ModelLibrary models,
    ModelCache loaded,
    ConceptLibrary library,
    TrainingRuns runs,
    ServerPaths paths,
    TimeProvider time,
    ILogger<JobRunner> logger
) : IJobRunner
{
    public IEnumerable<(int Step, IMessage Message)> Run(
        IMessage request,
        JobAttempt attempt,
        CancellationToken cancellationToken
    ) =>
        request switch
        {
            TrainRequest train => Train(train, attempt, cancellationToken),
            GenerateRequest generate => Generate(generate, attempt.Ticket.Owner, cancellationToken),
            InterpolateRequest interpolate => Interpolate(interpolate, attempt.Ticket.Owner, cancellationToken),
            _ => throw new ArgumentException($"unknown request {request.Descriptor.Name}", nameof(request)),
        };

    private IEnumerable<(int Step, IMessage Message)> Train(
        TrainRequest request,
        JobAttempt attempt,
        CancellationToken cancellationToken
    )
    {
        if (attempt.HasResult)
        {
            yield break; // the previous attempt was killed after its result
        }

        if (
            attempt.Epoch > 1
            && runs.JobOf(request.Name) == attempt.Ticket.JobId
            && runs.LastStep(request.Name, attempt.Ticket.JobId, below: request.Options.Steps) is > 0 and var newest
        )
        {
            request.Resume = new TrainResume { FromStep = newest }; // where the previous attempt was killed or stopped
        }

        using var held = runs.Hold(request.Name);
        var start = time.GetTimestamp();
        var caller = attempt.Ticket.Owner;
        var concepts = library.For(caller);
        var profile = models.Get(request.Options.Model, request.Options.Vae);
        var target = ComputeTarget.Resolve(options.Device, request.Options.Dtype);
        var concept =
            request.Resume is not null ? runs.Start(request.Name)
            : request.Options.HasStartConcept ? concepts.Load(request.Options.StartConcept)
            : null;
        var settings = TrainingSettings.Resolve(request.Options.ToEngine(concept), request.Name, profile);
        var size = TrainingSet.Measure(
            request.ToPhotos(settings),
            settings.Resolution,
            options.ImageLimits,
            settings.UseAlpha
        );
        var photos = request.LoadPhotos(settings, options.ImageLimits, cancellationToken);
        using var from = request.Resume is null ? null : runs.Load(request.Name, request.Resume.FromStep);
        if (from is null)
        {
            if (attempt.Epoch == 1)
            {
                // the name may have been taken while the job waited, and a training would be lost for it
                concepts.EnsureFree(request.Name, settings.Placeholder, request.Overwrite);
            }

            runs.Begin(request, concept, caller, attempt.Run, attempt.EnsureLease);
        }
        else
        {
            runs.Continue(request, attempt.Run, attempt.EnsureLease);
        }

        RgbImage? thumbnail = null;
        var isReported = false;
        var summary = new TrainingSummary(settings);
        foreach (
            var earlier in attempt
                .EarlierEvents()
                .Where(entry => entry.Step <= (from?.Step ?? 0))
                .Select(entry => (TrainResponse)entry.Message)
        )
        {
            summary.Add(earlier); // the image is of the whole run, however often the server was started
        }

        using var model = loaded.Use(profile, target, loaded.WorkingBytes(profile, target, settings, size));
        using var keeper = new SnapshotKeeper(
            runs,
            request.Name,
            settings,
            options.SnapshotInterval,
            attempt,
            time,
            logger
        );
        using var phase = Tracing.Phase("train");
        var session = new Trainer(model.Value, settings, photos).Begin(from);
        foreach (var trainingEvent in session.Run(cancellationToken, stepDone: keeper.Note))
        {
            if (trainingEvent is not TrainingFinished)
            {
                var reported = EventMapping.Of(trainingEvent);
                summary.Add(reported.Message);
                yield return reported;
            }

            switch (trainingEvent)
            {
                case TrainingStep when keeper.Problem is { } problem && !isReported:
                    isReported = true;
                    yield return (
                        0,
                        new TrainResponse
                        {
                            Warning = EventMapping.Warning(
                                "SNAPSHOT_NOT_WRITTEN",
                                $"{paths.Hide(problem)} The training continues, but cannot be resumed from here."
                            ),
                        }
                    );
                    break;
                case TrainingPreview { Index: 0 } preview:
                    thumbnail = preview.Image;
                    break;
                case TrainingFinished finished:
                    var learnt = new Concept
                    {
                        Name = request.Name,
                        Family = profile.Family,
                        Model = request.Options.Model,
                        Settings = settings.ToMessage(request.Options, request.Options.Model, target),
                        TextEncoders = { profile.Encoders.Select(encoder => encoder.Description) },
                        PhotoSha256 = { Enumerable.Range(0, photos.Count).Select(photos.Sha256) },
                    };
                    library
                        .For(caller with { Id = runs.Owner(request.Name) is { Length: > 0 } owner ? owner : caller.Id })
                        .SaveLearnt(
                            learnt,
                            finished.Concept,
                            thumbnail is null ? default : ImageCodec.Encode(thumbnail, ImageFormat.Png),
                            summary.Render(),
                            attempt.EnsureLease
                        );
                    yield return (
                        0,
                        new TrainResponse
                        {
                            Result = new TrainResult
                            {
                                Name = request.Name,
                                Placeholder = settings.Placeholder,
                                Steps = finished.Last.Step,
                                LossAverage = finished.Last.LossAverage,
                                Norm = finished.Last.Norm,
                                AngleDegrees = finished.Last.AngleDegrees,
                                ConceptStep = finished.ConceptStep,
                                Stopped = finished.Stopped ?? "",
                                Elapsed = Duration.FromTimeSpan(time.GetElapsedTime(start)),
                            },
                        }
                    );
                    break;
            }
        }
    }

    private IEnumerable<(int Step, IMessage Message)> Generate(
        GenerateRequest request,
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        var start = time.GetTimestamp();
        var concepts = library.For(caller);
        var profile = models.Get(request.Options.Model, request.Options.Vae);
        var settings = GenerationSettings.Resolve(request.Options.ToEngine(), profile);
        using var model = Use(profile, request.Options, settings);
        var named = LoadNamed(concepts, settings);
        var encoding = Encoding(request.Options, settings, blend: null);
        using var phase = Tracing.Phase("draw");
        foreach (var generationEvent in new TextToImage(model.Value).Run(settings, named, cancellationToken))
        {
            yield return generationEvent switch
            {
                SamplingStep step => (
                    step.Step,
                    new GenerateResponse { Progress = step.ToMessage(time.GetElapsedTime(start), settings.Seed) }
                ),
                GeneratedImage image => (0, new GenerateResponse { Picture = encoding.Encode(image) }),
                GenerationWarning warning => (
                    0,
                    new GenerateResponse { Warning = EventMapping.Warning(warning.Code, warning.Message) }
                ),
                _ => throw new InvalidOperationException($"unknown event {generationEvent}"),
            };
        }

        yield return (
            0,
            new GenerateResponse
            {
                Result = new GenerateResult
                {
                    Pictures = settings.ImageCount,
                    Elapsed = Duration.FromTimeSpan(time.GetElapsedTime(start)),
                },
            }
        );
    }

    private IEnumerable<(int Step, IMessage Message)> Interpolate(
        InterpolateRequest request,
        Caller caller,
        CancellationToken cancellationToken
    )
    {
        var start = time.GetTimestamp();
        var concepts = library.For(caller);
        var profile = models.Get(request.Options.Model, request.Options.Vae);
        var (from, to) = (concepts.Load(request.FromConcept), concepts.Load(request.ToConcept));
        var settings = request.Resolve(from, to, profile);
        using var model = Use(profile, request.Options, settings.Generation);
        var encoding = Encoding(request.Options, settings.Generation, request);
        using var phase = Tracing.Phase("draw");
        var others = LoadNamed(concepts, settings.Generation);
        foreach (
            var generationEvent in new Interpolation(model.Value).Run(settings, from, to, others, cancellationToken)
        )
        {
            yield return generationEvent switch
            {
                SamplingStep step => (
                    step.Step,
                    new InterpolateResponse
                    {
                        Progress = step.ToMessage(time.GetElapsedTime(start), settings.Generation.Seed),
                    }
                ),
                GeneratedImage image => (0, new InterpolateResponse { Picture = encoding.Encode(image) }),
                GenerationWarning warning => (
                    0,
                    new InterpolateResponse { Warning = EventMapping.Warning(warning.Code, warning.Message) }
                ),
                _ => throw new InvalidOperationException($"unknown event {generationEvent}"),
            };
        }

        yield return (
            0,
            new InterpolateResponse
            {
                Result = new InterpolateResult
                {
                    Pictures = settings.Frames,
                    Elapsed = Duration.FromTimeSpan(time.GetElapsedTime(start)),
                },
            }
        );
    }

    private static ConceptEmbedding[] LoadNamed(CallerConcepts concepts, GenerationSettings settings) =>
        [
            .. concepts
                .NamedIn(settings.Prompt, settings.NegativePrompt ?? "")
                .Select(concept => concepts.Load(concept.Name)),
        ];

    private Lease<IDiffusionModel> Use(ModelProfile profile, V1.GenerationOptions asked, GenerationSettings settings)
    {
        var target = ComputeTarget.Resolve(options.Device, asked.Dtype);
        return loaded.Use(profile, target, loaded.WorkingBytes(profile, target, settings));
    }

    private static PictureEncoding Encoding(
        V1.GenerationOptions asked,
        GenerationSettings settings,
        InterpolateRequest? blend
    ) =>
        new(
            asked.Format,
            asked.HasQuality ? asked.Quality : PictureEncoding.DefaultQuality,
            settings.Seed,
            asked.OmitMetadata ? null : new PictureMetadata(asked, settings, blend)
        );
}
