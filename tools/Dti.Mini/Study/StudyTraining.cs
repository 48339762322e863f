using Dti.Engine.Imaging;
using Dti.Engine.Models;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;
using Dti.Mini.Sheets;
using Dti.Mini.Training;
using Dti.Mini.World;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>What all studies train and generate with: the model on the CPU, and photos of rendered scenes.</summary>
internal static class StudyTraining
{
    /// <summary>The model in <see cref="Precision.Compute"/>; for training, by one training at a time.</summary>
    public static StableDiffusionModel Load(ModelProfile profile) =>
        StableDiffusionModel.Load(profile, new ComputeTarget(CPU, Precision.Compute));

    /// <summary>Rendered scenes as photos, PNG.</summary>
    public static Photo[] Photos(IEnumerable<Scene> scenes) =>
        [.. scenes.Select((scene, i) => new Photo($"{i}.png", Png(scene)))];

    /// <summary>Photos at the resolution of a training.</summary>
    public static TrainingSet Set(TrainingSettings settings, Photo[] photos) =>
        TrainingSet.Load(photos, settings.Resolution, new ImageLimits());

    private static byte[] Png(Scene scene) =>
        ImageCodec.Encode(
            new RgbImage(SceneRenderer.Side, SceneRenderer.Side, ContactSheet.Draw(scene)),
            ImageFormat.Png
        );
}
