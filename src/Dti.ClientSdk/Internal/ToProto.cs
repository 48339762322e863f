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
            Options = request.Options.ToMessage(),
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
            Options = request.Options.ToMessage(),
        };
        if (request.Frames is { } frames)
            message.Frames = frames;
        if (request.Easing is { } easing)
            message.Easing = (V1.Easing)easing;
        if (request.Prompt is { } prompt)
            message.Prompt = prompt;
        return message;
    }

    public static ByteString Bytes(ReadOnlyMemory<byte> data) => UnsafeByteOperations.UnsafeWrap(data);
}
