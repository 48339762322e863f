using System.Runtime.InteropServices;
using Dti.Engine.Imaging;
using Dti.Engine.Training;
using Dti.V1;
using Google.Protobuf;
using Photo = Dti.Engine.Training.Photo;
using TrainingSettings = Dti.Engine.Training.TrainingSettings;

namespace Dti.Server.Mapping;

/// <summary>The photos of a request.</summary>
internal static class PhotoMapping
{
    /// <summary>Decodes them as training will see them.</summary>
    /// <param name="request">The request.</param>
    /// <param name="settings">Its settings.</param>
    /// <param name="limits">What a photo may measure.</param>
    /// <param name="cancellationToken">Ends it after a photo.</param>
    /// <exception cref="Dti.Engine.ValidationException">Photos, masks or captions cannot be used.</exception>
    public static TrainingSet LoadPhotos(
        this TrainRequest request,
        TrainingSettings settings,
        ImageLimits limits,
        CancellationToken cancellationToken
    ) =>
        TrainingSet.Load(
            request.ToPhotos(settings),
            settings.Resolution,
            limits,
            settings.Initializer,
            settings.UseAlpha,
            cancellationToken
        );

    /// <summary>The photos, which share their bytes with the request.</summary>
    /// <param name="request">The request.</param>
    /// <param name="settings">Its settings; null: they are wrong themselves, and captions are not looked at.</param>
    public static IReadOnlyList<Photo> ToPhotos(this TrainRequest request, TrainingSettings? settings) =>
        [
            .. request.Photos.Select(photo => new Photo(
                photo.FileName,
                Bytes(photo.Data),
                photo.Mask.IsEmpty ? null : Bytes(photo.Mask),
                photo.Caption.Length == 0 || settings is null ? null : photo.Caption
            )),
        ];

    // A ByteString is an array that nobody writes to.
    private static byte[] Bytes(ByteString data) =>
        MemoryMarshal.TryGetArray(data.Memory, out var segment)
        && segment is { Offset: 0, Array: { } whole }
        && whole.Length == segment.Count
            ? whole
            : data.ToByteArray();
}
