using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>Changes the parameter of a <see cref="TrainableEmbedding"/> in place, step by step.</summary>
internal interface IEmbeddingOptimizer : IDisposable
{
    /// <summary>η of the next step, above 0.</summary>
    double LearningRate { get; set; }

    /// <summary>Steps done. Set only to continue from a snapshot.</summary>
    int StepCount { get; set; }

    /// <summary>
    /// What it carries from step to step besides the count, by name: live tensors, which a snapshot copies out of and
    /// back into.
    /// </summary>
    IReadOnlyDictionary<string, Tensor> State { get; }

    /// <summary>One step.</summary>
    /// <param name="gradient">∂loss/∂parameter, (n, d), of the denoising loss alone.</param>
    void Step(Tensor gradient);
}
