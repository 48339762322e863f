using Dti.Engine.Checkpoints;
using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using static TorchSharp.torch;

namespace Dti.Bench;

/// <summary>
/// Writes what a prompt with a concept in it becomes in Dti's text encoders, to be compared with other tools, tensor by
/// tensor.
/// </summary>
internal static class Conditioning
{
    public static int Run(Arguments arguments)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var model = StableDiffusionModel.Load(
            ModelFamilies.BuiltIn.Describe(ModelFamilies.BuiltIn.Open(arguments.Text("--model", ""))),
            ComputeTarget.Resolve("cpu", "fp32")
        );
        var concept = ConceptFile.Read(arguments.Text("--concept", ""), "<concept>");
        var states = new PromptEncoder(model, [concept])
            .Encode(arguments.Text("--prompt", "a photo of <concept>"))
            .States;
        SafetensorsWriter.Write(
            arguments.Text("--output", "conditioning.safetensors"),
            new Dictionary<string, Tensor> { ["states"] = states }
        );
        Console.WriteLine($"states {string.Join(" × ", states.shape)}");
        return 0;
    }
}
