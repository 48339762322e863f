using Google.Protobuf.WellKnownTypes;
using Grpc.Core;

namespace Dti.ClientSdk.Internal;

/// <summary>
/// Messages to public records. An event that this version does not know becomes null and is left out.
/// </summary>
internal static class FromProto
{
    public static TrainingUpdate? Update(V1.TrainResponse message) =>
        message.EventCase switch
        {
            V1.TrainResponse.EventOneofCase.Accepted => new TrainingAccepted(
                message.Accepted.JobId,
                message.Accepted.RequestId,
                message.Accepted.Name,
                TrainingSettings.FromMessage(message.Accepted.Settings),
                message.Accepted.PhotoCount,
                message.Accepted.Attached,
                message.Accepted.StepsDone
            ),
            V1.TrainResponse.EventOneofCase.Queued => new TrainingQueued(
                message.Queued.Position,
                message.Queued.ExpectedStart?.ToDateTimeOffset()
            ),
            V1.TrainResponse.EventOneofCase.Progress => Progress(message.Progress),
            V1.TrainResponse.EventOneofCase.Preview => new TrainingPreview(
                message.Preview.Step,
                Picture(message.Preview.Picture)
            ),
            V1.TrainResponse.EventOneofCase.Warning => new TrainingWarning(
                message.Warning.Code,
                message.Warning.Message
            ),
            V1.TrainResponse.EventOneofCase.Result => new TrainingResult(
                message.Result.Name,
                message.Result.Placeholder,
                message.Result.Steps,
                message.Result.LossAverage,
                message.Result.Norm,
                message.Result.AngleDegrees,
                Span(message.Result.Elapsed) ?? TimeSpan.Zero,
                message.Result.ConceptStep,
                message.Result.Stopped
            ),
            V1.TrainResponse.EventOneofCase.Check => new TrainingCheck(
                message.Check.Step,
                message.Check.HeldOutLoss,
                message.Check.Drift
            ),
            _ => null,
        };

    public static GenerationUpdate? Update(V1.GenerateResponse message) =>
        message.EventCase switch
        {
            V1.GenerateResponse.EventOneofCase.Accepted => new GenerationAccepted(
                message.Accepted.JobId,
                GenerationSettings.FromMessage(message.Accepted.Settings)
            ),
            V1.GenerateResponse.EventOneofCase.Queued => new GenerationQueued(
                message.Queued.Position,
                message.Queued.ExpectedStart?.ToDateTimeOffset()
            ),
            V1.GenerateResponse.EventOneofCase.Progress => Progress(message.Progress),
            V1.GenerateResponse.EventOneofCase.Warning => new GenerationWarning(
                message.Warning.Code,
                message.Warning.Message
            ),
            V1.GenerateResponse.EventOneofCase.Picture => new GeneratedPicture(Picture(message.Picture)),
            V1.GenerateResponse.EventOneofCase.Result => new GenerationResult(
                message.Result.Pictures,
                Span(message.Result.Elapsed) ?? TimeSpan.Zero
            ),
            _ => null,
        };

    public static GenerationUpdate? Update(V1.InterpolateResponse message) =>
        message.EventCase switch
        {
            V1.InterpolateResponse.EventOneofCase.Accepted => new InterpolationAccepted(
                message.Accepted.JobId,
                message.Accepted.FromConcept,
                message.Accepted.ToConcept,
                message.Accepted.Frames,
                (Easing)message.Accepted.Easing,
                [.. message.Accepted.AnglesDegrees],
                GenerationSettings.FromMessage(message.Accepted.Settings)
            ),
            V1.InterpolateResponse.EventOneofCase.Queued => new GenerationQueued(
                message.Queued.Position,
                message.Queued.ExpectedStart?.ToDateTimeOffset()
            ),
            V1.InterpolateResponse.EventOneofCase.Progress => Progress(message.Progress),
            V1.InterpolateResponse.EventOneofCase.Warning => new GenerationWarning(
                message.Warning.Code,
                message.Warning.Message
            ),
            V1.InterpolateResponse.EventOneofCase.Picture => new GeneratedPicture(Picture(message.Picture)),
            V1.InterpolateResponse.EventOneofCase.Result => new GenerationResult(
                message.Result.Pictures,
                Span(message.Result.Elapsed) ?? TimeSpan.Zero
            ),
            _ => null,
        };

    public static GenerationUpdate? Update(V1.JobServiceWatchResponse message) =>
        message.Generate is { } drawing ? Update(drawing)
        : message.Interpolate is { } frames ? Update(frames)
        : throw new DtiClientException(
            StatusCode.FailedPrecondition,
            $"The job trains: {nameof(DtiClient.WatchAsync)} follows it."
        );

    public static ConceptInspection Inspection(V1.ConceptServiceInspectResponse message) =>
        new(
            message.Model,
            message.VocabularyNormMin,
            message.VocabularyNormMean,
            message.VocabularyNormMax,
            message.VocabularyPositionReadability,
            message.Initializer,
            [
                .. message.Vectors.Select(vector => new InspectedVector(
                    vector.Norm,
                    vector.HasAngleDegrees ? vector.AngleDegrees : null,
                    [.. vector.Nearest.Select(near => new NearToken(near.Token, near.Cosine))],
                    vector.PositionReadability
                )),
            ]
        );

    public static Concept Concept(V1.Concept message) =>
        new()
        {
            Name = message.Name,
            Placeholder = message.Placeholder,
            VectorCount = message.NumVectors,
            Dimension = message.Dimension,
            Norms = [.. message.Norms],
            Family = message.Family,
            Model = message.Model,
            Settings = message.Settings is { } settings ? TrainingSettings.FromMessage(settings) : null,
            Created = Time(message.Created),
            Version = message.Version,
            PhotoSha256 = [.. message.PhotoSha256],
            ThumbnailPng = message.ThumbnailPng.Memory,
            SummaryPng = message.SummaryPng.Memory,
            Owner = message.Owner,
            IgnoredTensors = [.. message.IgnoredTensors],
            TextEncoders = [.. message.TextEncoders],
        };

    public static Model Model(V1.Model message) =>
        new(
            message.Name,
            message.Family,
            message.Resolution,
            message.EmbeddingDimension,
            message.IsDefault,
            message.Problem is { Length: > 0 } problem ? problem : null,
            message.SizeBytes,
            message.Loaded,
            message.Dtype,
            message.Path,
            message.MemoryBytes,
            message.Fits
        );

    public static ServerInfo Server(V1.ServerInfo message) =>
        new(message.Version, message.Device, message.Dtype, message.Memory, message.TorchVersion)
        {
            Caller = message.Caller,
            Scopes = [.. message.Scopes],
            StudioAddress = message.StudioAddress is { Length: > 0 } address ? address : null,
        };

    public static ClusterHost Host(V1.ClusterHost message) =>
        new(
            message.Name,
            message.Role,
            message.Version,
            message.Address,
            [.. message.Devices.Select(Device)],
            [.. message.Models.Select(model => new ClusterModel(model.Name, model.Loaded))]
        );

    private static ClusterDevice Device(V1.ClusterDevice message) =>
        new(
            message.Name,
            message.Dtype,
            message.MemoryBytes,
            message.JobMemoryBytes,
            message.FreeMemoryBytes,
            [.. message.Jobs.Select(job => new ClusterJob(job.JobId, (JobKind)job.Kind, job.Step, job.TotalSteps))]
        );

    public static Job Job(V1.Job message) =>
        new(
            message.JobId,
            message.RequestId,
            (JobKind)message.Kind,
            (JobState)message.State,
            message.Name,
            message.Step,
            message.TotalSteps,
            Time(message.Created),
            Time(message.Started),
            Time(message.Ended),
            message.Error is { Length: > 0 } error ? error : null
        );

    private static TrainingProgress Progress(V1.TrainProgress message) =>
        new(
            message.Step,
            message.TotalSteps,
            message.Loss,
            message.LossAverage,
            message.Norm,
            message.AngleDegrees,
            message.KappaOverGradient,
            message.LearningRate,
            message.StepsPerSecond,
            Span(message.TimeLeft)
        );

    private static SamplingProgress Progress(V1.SamplingProgress message) =>
        new(message.Step, message.TotalSteps, Span(message.TimeLeft))
        {
            Preview = message.Preview is null ? null : Picture(message.Preview),
        };

    private static Picture Picture(V1.Picture message) =>
        new(
            message.Data.Memory,
            message.MediaType,
            message.Width,
            message.Height,
            message.Index,
            message.Prompt,
            message.Seed,
            message.HasT ? message.T : null
        );

    private static TimeSpan? Span(Duration? duration) => duration?.ToTimeSpan();

    private static DateTimeOffset? Time(Timestamp? timestamp) => timestamp?.ToDateTimeOffset();
}
