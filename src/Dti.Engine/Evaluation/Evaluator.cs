using Dti.Engine.Configs;
using Dti.Engine.Runtime.Devices;
using TorchSharp;

namespace Dti.Engine.Evaluation;

/// <summary>Loads the models that images are judged with.</summary>
public static class Evaluator
{
    /// <summary>
    /// Loads a folder in transformers' layout: <c>config.json</c>, <c>model.safetensors</c>,
    /// <c>preprocessor_config.json</c> and, for CLIP and SigLIP, the tokenizer's files. CLIP and SigLIP are <see
    /// cref="IImageTextEncoder"/>s. Or the judge that ships, <c>models/dti-mini-judge</c>, which is one too.
    /// </summary>
    /// <param name="folder">The folder.</param>
    /// <param name="target">Where to compute; null: the CPU in fp32.</param>
    /// <exception cref="DtiException">A file is missing or not valid, the model is of another type, or its weights do
    /// not go with its config.</exception>
    public static IImageEncoder Load(string folder, ComputeTarget? target = null)
    {
        var path = Path.Combine(folder, "config.json");
        using var json = BoundedJson.Read(path);
        var config = new ComponentConfig(path, json.RootElement);
        target ??= new ComputeTarget(torch.CPU, torch.ScalarType.Float32);
        return config.String("model_type", "") switch
        {
            "clip" => ClipEvaluator.Load(folder, config, target),
            "siglip" => SiglipEvaluator.Load(folder, config, target),
            "dinov2" => Dinov2Evaluator.Load(folder, config, target),
            "dti_mini_judge" => MiniJudge.Load(folder, config),
            "" => throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{path} has no model_type; expected clip, siglip or dinov2."
            ),
            var other => throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{path}: model_type '{other}' is not supported; clip, siglip and dinov2 are."
            ),
        };
    }
}
