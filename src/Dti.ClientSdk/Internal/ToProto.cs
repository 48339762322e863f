using Google.Protobuf;

namespace Dti.ClientSdk.Internal;

/// <summary>Public records to messages. What is null stays unset, so that the server's default applies.</summary>
internal static class ToProto
{
    public static V1.TrainRequest Message(TrainRequest request, string requestId)
    {
        var message = new V1.TrainRequest
        {
            RequestId = requestId,
            Name = request.Name,
            Photos =
            {
                request.Photos.Select(photo => new V1.Photo
                {
                    FileName = photo.FileName,
                    Data = Bytes(photo.Data),
                    Mask = Bytes(photo.Mask),
                    Caption = photo.Caption,
                }),
            },
            Options = Message(request.Options),
            Overwrite = request.Overwrite,
            CancelOnDisconnect = request.CancelOnDisconnect,
        };
        if (request.Resume || request.ResumeFromStep is not null)
            message.Resume = new V1.TrainResume();
        if (request.ResumeFromStep is { } step)
            message.Resume.FromStep = step;
        return message;
    }

    public static V1.InterpolateRequest Message(InterpolateRequest request)
    {
        var message = new V1.InterpolateRequest
        {
            FromConcept = request.FromConcept,
            ToConcept = request.ToConcept,
            Options = Message(request.Options),
        };
        if (request.Frames is { } frames)
            message.Frames = frames;
        if (request.Easing is { } easing)
            message.Easing = (V1.Easing)easing;
        if (request.Prompt is { } prompt)
            message.Prompt = prompt;
        return message;
    }

    public static V1.GenerationOptions Message(GenerationOptions options)
    {
        var message = new V1.GenerationOptions { Prompt = options.Prompt };
        if (options.NegativePrompt is { } negativePrompt)
            message.NegativePrompt = negativePrompt;
        if (options.Model is { } model)
            message.Model = model;
        if (options.Width is { } width)
            message.Width = width;
        if (options.Height is { } height)
            message.Height = height;
        if (options.Steps is { } steps)
            message.Steps = steps;
        if (options.GuidanceScale is { } guidanceScale)
            message.GuidanceScale = guidanceScale;
        if (options.Scheduler is { } scheduler)
            message.Scheduler = scheduler;
        if (options.Seed is { } seed)
            message.Seed = seed;
        if (options.ImageCount is { } imageCount)
            message.NumImages = imageCount;
        if (options.PromptSyntax is { } promptSyntax)
            message.PromptSyntax = (V1.PromptSyntax)promptSyntax;
        if (options.LongPrompts is { } longPrompts)
            message.LongPrompts = (V1.LongPrompts)longPrompts;
        if (options.GuidanceRescale is { } guidanceRescale)
            message.GuidanceRescale = guidanceRescale;
        if (options.ClipSkip is { } clipSkip)
            message.ClipSkip = clipSkip;
        if (options.Format is { } format)
            message.Format = (V1.PictureFormat)format;
        if (options.Quality is { } quality)
            message.Quality = quality;
        if (options.Dtype is { } dtype)
            message.Dtype = dtype;
        if (options.Vae is { } vae)
            message.Vae = vae;
        if (options.PredictionType is { } predictionType)
            message.PredictionType = predictionType;
        if (options.PreviewEvery is { } previewEvery)
            message.PreviewEvery = previewEvery;
        return message;
    }

    public static ByteString Bytes(ReadOnlyMemory<byte> data) => UnsafeByteOperations.UnsafeWrap(data);

    private static V1.TrainingOptions Message(TrainingOptions options)
    {
        var message = new V1.TrainingOptions
        {
            PreviewPrompts = { options.PreviewPrompts },
            Templates = { options.Templates },
        };
        if (options.Model is { } model)
            message.Model = model;
        if (options.Kind is { } kind)
            message.Kind = (V1.ConceptKind)kind;
        if (options.Method is { } method)
            message.Method = (V1.TrainingMethod)method;
        if (options.Placeholder is { } placeholder)
            message.Placeholder = placeholder;
        if (options.Initializer is { } initializer)
            message.Initializer = initializer;
        if (options.StartConcept is { } startConcept)
            message.StartConcept = startConcept;
        if (options.UseAlpha is { } useAlpha)
            message.UseAlpha = useAlpha;
        if (options.TextEncoders is { } textEncoders)
            message.TextEncoders = (V1.LearntEncoders)textEncoders;
        if (options.Preset is { } preset)
            message.Preset = (V1.TrainingPreset)preset;
        if (options.Obedience is { } obedience)
            message.Obedience = obedience;
        if (options.StopEarly is { } stopEarly)
            message.StopEarly = stopEarly;
        if (options.CheckEvery is { } checkEvery)
            message.CheckEvery = checkEvery;
        if (options.PreviewBaseline is { } previewBaseline)
            message.PreviewBaseline = previewBaseline;
        if (options.SnapshotEvery is { } snapshotEvery)
            message.SnapshotEvery = snapshotEvery;
        if (options.VectorCount is { } vectorCount)
            message.NumVectors = vectorCount;
        if (options.Steps is { } steps)
            message.Steps = steps;
        if (options.BatchSize is { } batchSize)
            message.BatchSize = batchSize;
        if (options.GradientAccumulation is { } accumulation)
            message.GradientAccumulation = accumulation;
        if (options.LearningRate is { } learningRate)
            message.LearningRate = learningRate;
        if (options.Kappa is { } kappa)
            message.Kappa = kappa;
        if (options.KappaSchedule is { } kappaSchedule)
            message.KappaSchedule = (V1.KappaSchedule)kappaSchedule;
        if (options.Regularization is { } regularization)
            message.Regularization = regularization;
        if (options.Beta is { } beta)
            message.Beta = beta;
        if (options.Magnitude is { } magnitude)
            message.Magnitude = (V1.Magnitude)magnitude;
        if (options.MagnitudeValue is { } magnitudeValue)
            message.MagnitudeValue = magnitudeValue;
        if (options.Resolution is { } resolution)
            message.Resolution = resolution;
        if (options.CenterCrop is { } centerCrop)
            message.CenterCrop = centerCrop;
        if (options.RandomFlip is { } randomFlip)
            message.RandomFlip = randomFlip;
        if (options.Seed is { } seed)
            message.Seed = seed;
        if (options.PreviewEvery is { } previewEvery)
            message.PreviewEvery = previewEvery;
        if (options.PreviewSteps is { } previewSteps)
            message.PreviewSteps = previewSteps;
        if (options.Dtype is { } dtype)
            message.Dtype = dtype;
        if (options.Vae is { } vae)
            message.Vae = vae;
        if (options.PredictionType is { } predictionType)
            message.PredictionType = predictionType;
        return message;
    }
}
