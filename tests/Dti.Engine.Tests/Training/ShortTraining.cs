using Dti.Engine.Models;
using Dti.Engine.Training;

namespace Dti.Engine.Tests.Training;

/// <summary>Settings of trainings that take little time.</summary>
internal static class ShortTraining
{
    /// <summary>Batch 1, 64 × 64, seed 3, no previews; the rest as asked.</summary>
    public static TrainingSettings Resolve(ModelProfile profile, TrainingOptions options) =>
        TrainingSettings.Resolve(
            options with
            {
                Resolution = 64,
                BatchSize = 1,
                PreviewEvery = 0,
                Seed = 3,
            },
            "x",
            profile
        );
}
