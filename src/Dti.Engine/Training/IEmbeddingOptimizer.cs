using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>Changes the parameter of a <see cref="TrainableEmbedding"/> in place, step by step.</summary>
internal interface IEmbeddingOptimizer : IDisposable
{
    /// <summary>One step.</summary>
    /// <param name="gradient">∂loss/∂parameter, (n, d), of the denoising loss alone.</param>
    void Step(Tensor gradient);
}
