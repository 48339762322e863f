using Dti.Engine.Concepts;
using Dti.Settings;
using Dti.V1;
using Asked = Dti.Engine.Training;

namespace Dti.Server.Mapping;

/// <summary>From messages to what the engine takes.</summary>
[MapsSettings(typeof(Asked.TrainingOptions))]
[MapsSettings(typeof(Engine.Generation.GenerationOptions))]
internal static partial class OptionsMapping
{
    /// <param name="options">The message.</param>
    /// <param name="start">The concept that start_concept names.</param>
    public static Asked.TrainingOptions ToEngine(this TrainingOptions options, ConceptEmbedding? start) =>
        Declared(options) with
        {
            StartConcept = start,
        };

    public static Engine.Generation.GenerationOptions ToEngine(this GenerationOptions options) => Declared(options);

    public static Engine.Generation.Easing? ToEngine(this Easing easing) =>
        easing switch
        {
            Easing.Linear => Engine.Generation.Easing.Linear,
            Easing.Smooth => Engine.Generation.Easing.Smooth,
            _ => null,
        };

    public static Engine.Imaging.ImageFormat ToEngine(this PictureFormat format) =>
        format switch
        {
            PictureFormat.Jpeg => Engine.Imaging.ImageFormat.Jpeg,
            PictureFormat.Webp => Engine.Imaging.ImageFormat.Webp,
            _ => Engine.Imaging.ImageFormat.Png,
        };
}
