using Dti.Engine.Imaging;
using Dti.Engine.Training;
using Dti.V1;
using Photo = Dti.Engine.Training.Photo;
using TrainingSettings = Dti.Engine.Training.TrainingSettings;

namespace Dti.Server.Mapping;

/// <summary>The photos of a request.</summary>
internal static class PhotoMapping
{
    /// <summary>Decodes them as training will see them.</summary>
    /// <param name="request">The request.</param>
    /// <param name="settings">Its settings; null: they are wrong themselves, and the photos are only looked at.</param>
    /// <param name="limits">What a photo may measure.</param>
    /// <exception cref="Dti.Engine.ValidationException">Photos, masks or captions cannot be used.</exception>
    public static TrainingSet LoadPhotos(this TrainRequest request, TrainingSettings? settings, ImageLimits limits) => TrainingSet.Load(
        [.. request.Photos.Select(photo => new Photo(
            photo.FileName, photo.Data.ToByteArray(), photo.Mask.IsEmpty ? null : photo.Mask.ToByteArray(), photo.Caption.Length == 0 || settings is null ? null : photo.Caption))],
        settings?.Resolution ?? 64, limits, settings?.Initializer ?? "", settings?.UseAlpha ?? false);
}
