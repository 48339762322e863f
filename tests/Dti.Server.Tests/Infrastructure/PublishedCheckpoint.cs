using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Configs;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Weights;
using TorchSharp;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>
/// A single file with all tensors of Stable Diffusion 1.5 in their published shapes, F16. All values are zero: the file
/// is sparse, so that it takes 2 GB in its length only.
/// </summary>
internal static class PublishedCheckpoint
{
    /// <summary>Writes the file.</summary>
    /// <param name="path">Its path.</param>
    public static void Write(string path)
    {
        var header = new Dictionary<string, object>(StringComparer.Ordinal);
        var length = 0L;
        foreach (var tensor in Tensors())
        {
            var start = length;
            length += tensor.Shape.Aggregate(2L, (product, side) => product * side);
            header.Add(
                tensor.Name,
                new Dictionary<string, object>
                {
                    ["dtype"] = "F16",
                    ["shape"] = tensor.Shape,
                    ["data_offsets"] = new[] { start, length },
                }
            );
        }

        var json = JsonSerializer.SerializeToUtf8Bytes(header);
        using var file = File.Create(path);
        file.Write(BitConverter.GetBytes((long)json.Length));
        file.Write(json);
        file.SetLength(file.Length + length);
    }

    private static IEnumerable<OriginalTensor> Tensors()
    {
        var family = OriginalFamily.Named("sd1");
        var configs = family.Configs();
        foreach (var component in new[] { "text_encoder", "unet", "vae" })
        {
            var json = configs.GetProperty(component);
            var config = new ComponentConfig(component, json);
            var shapes = new RecordedShapes();
            var weights = new WeightScope(shapes);
            object module = component switch
            {
                "unet" => new UNet2DConditionModel(UNet2DConditionConfig.Parse(config), weights),
                "vae" => new Engine.Models.AutoencoderKL(Engine.Models.AutoencoderKLConfig.Parse(config), weights),
                _ => new Engine.Models.ClipTextModel(
                    Engine.Models.ClipTextConfig.Parse(config, projection: false),
                    weights
                ),
            };
            var (prefix, rows) = family.Layout(component, json);
            var tensors = OriginalTensor.Of(rows, prefix, shapes.Shapes, out var unknown);
            Assert.True(unknown.Count == 0, $"{module} has tensors without a name in a single file.");
            foreach (var tensor in tensors)
            {
                yield return tensor;
            }
        }
    }

    /// <summary>Records the names and shapes that a module takes.</summary>
    private sealed class RecordedShapes : IWeightSource
    {
        public Dictionary<string, IReadOnlyList<long>> Shapes { get; } = new(StringComparer.Ordinal);

        public bool Contains(string name) => false;

        public torch.Tensor Take(string name, long[] shape)
        {
            Shapes.Add(name, shape);
            return torch.empty(0);
        }
    }
}
