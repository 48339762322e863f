using System.Runtime.InteropServices;
using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Configs;
using Dti.Engine.Models;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Files;
using Dti.Engine.Weights;
using TorchSharp;

namespace Dti.Bench;

/// <summary>
/// Single files of random weights in half precision, of exactly the tensors that a family's published models have.
/// </summary>
internal static class RandomCheckpoint
{
    private static readonly byte[] _noise = Noise();
    private static readonly byte[] _ones = Halves(Enumerable.Repeat(1.0, 1 << 16));

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
            ? tensors.Select(tensor => new OutgoingTensor(tensor.Name, "F16", tensor.Shape, stream =>
                Fill(stream, tensor)
            ))
            : throw new InvalidOperationException($"{family.Name} has no place for {unknown[0]}.");
    }

    /// <summary>
    /// Norms scale by 1; all else is normal with deviation 0.02, so that activations keep a size that F16 holds.
    /// </summary>
    private static void Fill(Stream stream, OriginalTensor tensor)
    {
        var source =
            tensor.Parts[0].Contains("norm", StringComparison.Ordinal)
            && tensor.Name.EndsWith(".weight", StringComparison.Ordinal)
                ? _ones
                : _noise;
        var left = tensor.Shape.Aggregate(2L, (product, side) => product * side);
        for (var start = (int)(left * 7919 % source.Length) & ~1; left > 0; start = 0)
        {
            var piece = (int)Math.Min(left, source.Length - start);
            stream.Write(source, start, piece);
            left -= piece;
        }
    }

    private static byte[] Noise()
    {
        var random = new Random(1);
        return Halves(
            Enumerable
                .Range(0, 1 << 22)
                .Select(_ =>
                    0.02
                    * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble()))
                    * Math.Cos(2 * Math.PI * random.NextDouble())
                )
        );
    }

    private static byte[] Halves(IEnumerable<double> values) =>
        MemoryMarshal.AsBytes([.. values.Select(value => (Half)value)]).ToArray();

    /// <summary>Says yes to every tensor and remembers it.</summary>
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
