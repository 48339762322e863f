using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Runtime.Kernels;

/// <summary>How a linear layer or a convolution computes: by libtorch's own call, or by packed weights.</summary>
internal interface ILayerKernel
{
    /// <summary>The layer's result, with a graph where <paramref name="x"/> has one.</summary>
    Tensor Forward(Tensor x);
}

/// <summary>y = x Wᵀ + b by libtorch's own call.</summary>
/// <param name="weight">(O, I), owned by its source.</param>
/// <param name="bias">(O), owned by its source; null: none.</param>
internal sealed class PlainLinear(Tensor weight, Tensor? bias) : ILayerKernel
{
    /// <inheritdoc/>
    public Tensor Forward(Tensor x) => F.linear(x, weight, bias);
}

/// <summary>A square convolution by libtorch's own call.</summary>
/// <param name="weight">(O, I, k, k), owned by its source.</param>
/// <param name="bias">(O), owned by its source; null: none.</param>
/// <param name="stride">Its stride.</param>
/// <param name="padding">Its padding.</param>
internal sealed class PlainConvolution(Tensor weight, Tensor? bias, long stride, long padding) : ILayerKernel
{
    /// <inheritdoc/>
    public Tensor Forward(Tensor x) => F.conv2d(x.contiguous(), weight, bias, [stride, stride], [padding, padding]);
}

/// <summary>A convolution of one pixel, computed as a linear layer over the channels.</summary>
/// <param name="linear">The linear layer.</param>
internal sealed class PixelConvolution(ILayerKernel linear) : ILayerKernel
{
    /// <inheritdoc/>
    public Tensor Forward(Tensor x) => linear.Forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2);
}
