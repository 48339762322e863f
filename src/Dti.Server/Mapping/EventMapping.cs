using Dti.Engine.Generation;
using Dti.Engine.Imaging;
using Dti.Engine.Training;
using Dti.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;

namespace Dti.Server.Mapping;

/// <summary>How pictures are encoded for replies.</summary>
/// <param name="Format">PNG, JPEG or WebP.</param>
/// <param name="Quality">1 to 100, JPEG and WebP only.</param>
/// <param name="Seed">The request's seed.</param>
internal sealed record PictureEncoding(PictureFormat Format, int Quality, ulong Seed)
{
    public const int DefaultQuality = 90;

    /// <summary>As previews are.</summary>
    public static PictureEncoding Lossless(ulong seed) => new(PictureFormat.Png, DefaultQuality, seed);

    public Picture Encode(GeneratedImage image) => Encode(image.Image, image.Index, image.Prompt, image.T);

    public Picture Encode(RgbImage image, int index, string prompt, double? t = null)
    {
        var picture = new Picture
        {
            Data = ByteString.CopyFrom(ImageCodec.Encode(image, Format.ToEngine(), Quality)),
            MediaType = Format switch
            {
                PictureFormat.Jpeg => "image/jpeg",
                PictureFormat.Webp => "image/webp",
                _ => "image/png",
            },
            Width = image.Width,
            Height = image.Height,
            Index = index,
            Prompt = prompt,
            Seed = Seed,
        };
        if (t is { } position)
        {
            picture.T = position;
        }

        return picture;
    }
}

/// <summary>What the engine reports, as messages, and back.</summary>
internal static class EventMapping
{
    public static TrainProgress ToMessage(this TrainingStep step) =>
        new()
        {
            Step = step.Step,
            TotalSteps = step.TotalSteps,
            Loss = step.Loss,
            LossAverage = step.LossAverage,
            Norm = step.Norm,
            AngleDegrees = step.AngleDegrees,
            KappaOverGradient = step.KappaOverGradient,
            LearningRate = step.LearningRate,
            StepsPerSecond = step.StepsPerSecond,
            TimeLeft = Duration.FromTimeSpan(step.TimeLeft),
        };

    public static TrainCheck ToMessage(this TrainingCheck check) =>
        new()
        {
            Step = check.Step,
            HeldOutLoss = check.HeldOutLoss,
            Drift = check.Drift,
        };

    public static TrainPreview ToMessage(this TrainingPreview preview) =>
        new()
        {
            Step = preview.Step,
            Picture = PictureEncoding.Lossless(preview.Seed).Encode(preview.Image, preview.Index, preview.Prompt),
        };

    /// <summary>What the engine reported; null: nothing that it would report.</summary>
    public static TrainingEvent? ToEngine(this TrainResponse told) =>
        told switch
        {
            { Progress: { } p } => new TrainingStep(
                p.Step,
                p.TotalSteps,
                p.Loss,
                p.LossAverage,
                p.Norm,
                p.AngleDegrees,
                p.KappaOverGradient,
                p.LearningRate,
                p.StepsPerSecond,
                p.TimeLeft.ToTimeSpan()
            ),
            { Check: { } check } => new TrainingCheck(check.Step, check.HeldOutLoss, check.Drift),
            { Preview: { Picture: { } picture } preview } => new TrainingPreview(
                preview.Step,
                picture.Index,
                ImageCodec.Decode(picture.Data.Span, "preview"),
                picture.Prompt,
                picture.Seed
            ),
            _ => null,
        };

    public static SamplingProgress ToMessage(this SamplingStep step, TimeSpan elapsed, ulong seed) =>
        new()
        {
            Step = step.Step,
            TotalSteps = step.TotalSteps,
            TimeLeft = Duration.FromTimeSpan(elapsed / step.Step * (step.TotalSteps - step.Step)),
            Preview = step.Preview is { } preview ? PictureEncoding.Lossless(seed).Encode(preview) : null,
        };

    public static Warning Warning(string code, string message) => new() { Code = code, Message = message };
}
