using Dti.Engine.Configs;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Engine.Models;

/// <summary>What stands between the two matrices of a feed-forward layer.</summary>
internal enum Activation
{
    /// <summary>x·σ(1.702 x), OpenAI's.</summary>
    QuickGelu,

    /// <summary>GELU, exact.</summary>
    Gelu,

    /// <summary>GELU by the hyperbolic tangent.</summary>
    GeluTanh,
}

/// <summary>Activations as configs name them, and what they compute.</summary>
internal static class Activations
{
    /// <summary>Reads <c>hidden_act</c>.</summary>
    /// <exception cref="DtiException">It is not a supported one.</exception>
    public static Activation Parse(ComponentConfig config, Activation absent) =>
        config.String("hidden_act", "") switch
        {
            "" => absent,
            "quick_gelu" => Activation.QuickGelu,
            "gelu" => Activation.Gelu,
            "gelu_pytorch_tanh" => Activation.GeluTanh,
            var other => throw config.Unsupported("hidden_act", other),
        };

    /// <summary>Applies it to each element.</summary>
    public static Tensor Apply(this Activation activation, Tensor x) =>
        activation switch
        {
            Activation.QuickGelu => x * sigmoid(1.702 * x),
            Activation.GeluTanh => 0.5 * x * (1 + tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x)))),
            _ => F.gelu(x),
        };
}
