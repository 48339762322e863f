using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Configs;
using Dti.Engine.Models;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Files;
using Dti.Engine.Weights;

namespace Dti.Bench;

/// <summary>
/// Single files of random weights in half precision, of exactly the tensors that a family's published models have.
/// </summary>
internal static class RandomCheckpoint
{
    private static readonly RandomNumbers _numbers = new("F16");

    /// <summary>Writes a single file, tensor by tensor.</summary>
    /// <param name="path">Where to.</param>
    /// <param name="family"><c>sd1</c>, <c>sd2</c> or <c>sdxl</c>.</param>
    /// <param name="like">A folder whose configs to take; null: the published ones.</param>
    public static void Write(string path, string family, Checkpoint? like)
    {
        var original = OriginalFamily.Named(family);
        var published = original.Configs();
        var tensors = original
            .TextEncoders.Select(encoder => encoder.Component)
            .Concat(["unet", "vae"])
            .SelectMany(component =>
                Tensors(original, component, like?.ReadConfig(component) ?? published.GetProperty(component))
            );
        AtomicFile.Write(path, stream =>
            SafetensorsWriter.Write(stream, tensors, new Dictionary<string, string> { ["format"] = "pt" })
        );
    }

    private static IEnumerable<OutgoingTensor> Tensors(OriginalFamily family, string component, JsonElement json)
    {
        var config = new ComponentConfig(component, json);
        var shapes = new RecordedShapes();
        var weights = new WeightScope(shapes);
        object _ = component switch
        {
            "unet" => new UNet2DConditionModel(UNet2DConditionConfig.Parse(config), weights),
            "vae" => new AutoencoderKL(AutoencoderKLConfig.Parse(config), weights),
            _ => new ClipTextModel(ClipTextConfig.Parse(config, projection: component == "text_encoder_2"), weights),
        };
        var (prefix, rows) = family.Layout(component, json);
        return OriginalTensor.Of(rows, prefix, shapes.Shapes, out var unknown) is var tensors && unknown.Count == 0
            ? tensors.Select(tensor => new OutgoingTensor(tensor.Name, _numbers.Dtype, tensor.Shape, stream =>
                _numbers.Fill(
                    stream,
                    tensor.Shape,
                    tensor.Parts[0].Contains("norm", StringComparison.Ordinal)
                        && tensor.Name.EndsWith(".weight", StringComparison.Ordinal)
                )
            ))
            : throw new InvalidOperationException($"{family.Name} has no place for {unknown[0]}.");
    }
}
