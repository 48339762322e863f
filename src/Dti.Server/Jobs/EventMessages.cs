using Dti.Server.Jobs.Grains;
using Dti.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dti.Server.Jobs;

/// <summary>
/// The events of each kind of job: <see cref="TrainResponse"/>, <see cref="GenerateResponse"/> or <see
/// cref="InterpolateResponse"/>.
/// </summary>
internal static class EventMessages
{
    /// <summary>Reads an event.</summary>
    public static IMessage Parse(JobKind kind, byte[] message) =>
        kind switch
        {
            JobKind.Train => TrainResponse.Parser.ParseFrom(message),
            JobKind.Generate => GenerateResponse.Parser.ParseFrom(message),
            _ => InterpolateResponse.Parser.ParseFrom(message),
        };

    /// <summary>The event of a place in the queue.</summary>
    public static IMessage Queued(JobKind kind, QueuePlace place)
    {
        var queued = new Queued
        {
            Position = place.Position,
            ExpectedStart = place.ExpectedStart is { } start ? Timestamp.FromDateTimeOffset(start) : null,
        };
        return kind switch
        {
            JobKind.Train => new TrainResponse { Queued = queued },
            JobKind.Generate => new GenerateResponse { Queued = queued },
            _ => new InterpolateResponse { Queued = queued },
        };
    }

    /// <summary>
    /// The identity of an event within its job: an event that a second attempt repeats has the same key.
    /// </summary>
    public static string Key(int step, IMessage message) =>
        message switch
        {
            TrainResponse { Preview: { } preview } => $"preview {step} {preview.Picture.Index}",
            TrainResponse { Warning: { } warning } => $"warning {warning.Code} {warning.Message}",
            TrainResponse train => $"{train.EventCase} {step}",
            GenerateResponse { Picture: { } picture } => $"image {picture.Index}",
            GenerateResponse { Warning: { } warning } => $"warning {warning.Code} {warning.Message}",
            GenerateResponse generate => $"{generate.EventCase} {step}",
            InterpolateResponse { Picture: { } picture } => $"image {picture.Index}",
            InterpolateResponse { Warning: { } warning } => $"warning {warning.Code} {warning.Message}",
            InterpolateResponse interpolate => $"{interpolate.EventCase} {step}",
            _ => throw new ArgumentException($"unknown event {message.Descriptor.Name}", nameof(message)),
        };

    /// <summary>Whether it is a job's last.</summary>
    public static bool IsResult(IMessage message) =>
        message
            is TrainResponse { Result: not null }
                or GenerateResponse { Result: not null }
                or InterpolateResponse { Result: not null };

    /// <summary>
    /// The event as it is stored in the job's log: without intermediate images of a generation, of which there may be
    /// thousands.
    /// </summary>
    public static IMessage Stored(IMessage message)
    {
        switch (message)
        {
            case GenerateResponse { Progress.Preview: not null } generate:
                generate = generate.Clone();
                generate.Progress.Preview = null;
                return generate;
            case InterpolateResponse { Progress.Preview: not null } interpolate:
                interpolate = interpolate.Clone();
                interpolate.Progress.Preview = null;
                return interpolate;
            default:
                return message;
        }
    }

    /// <summary>Whether a watcher that lags behind may miss it: the next event of its kind replaces it.</summary>
    public static bool IsDroppable(IMessage message) =>
        message
            is TrainResponse { Progress: not null }
                or TrainResponse { Preview: not null }
                or GenerateResponse { Progress: not null }
                or InterpolateResponse { Progress: not null };
}
