using Dti.Engine.Training;

namespace Dti.Mini.Study;

/// <summary>A way to learn a concept that the study compares.</summary>
/// <param name="Name">In tables and file names.</param>
/// <param name="Method">How it is trained.</param>
/// <param name="LearningRate">Its learning rate.</param>
/// <param name="Steps">Steps.</param>
/// <param name="Kappa">κ; DTI only.</param>
/// <param name="Rescaled">Its vectors are set to the vocabulary's mean norm after training.</param>
internal sealed record StudyMethod(
    string Name,
    TrainingMethod Method,
    double LearningRate,
    int Steps,
    double? Kappa = null,
    bool Rescaled = false
)
{
    /// <summary>The folder of its concepts; methods that differ in what is done after training share it.</summary>
    public string Folder => FormattableString.Invariant($"{Method}-{LearningRate}-{Steps}-{Kappa ?? 1e-4}");

    public TrainingOptions Options(string initializer, int seed) =>
        new()
        {
            Method = Method,
            Initializer = initializer,
            LearningRate = LearningRate,
            Kappa = Kappa,
            Steps = Steps,
            Seed = (ulong)seed,
            PreviewEvery = 0,
        };
}
