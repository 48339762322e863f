using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Weights;
using static TorchSharp.torch;

namespace Dti.Tests;

/// <summary>A photo encoder with random weights for a fixture's model.</summary>
internal static class TinyPhotoEncoder
{
    /// <summary>
    /// Writes <c>photo_encoder</c> into a copy of a fixture's model folder, in the place of an earlier one.
    /// </summary>
    /// <param name="folder">The model folder.</param>
    /// <param name="seed">Of the weights.</param>
    /// <returns><paramref name="folder"/></returns>
    public static string AddTo(string folder, ulong seed = 1)
    {
        var model = ModelFamilies.BuiltIn.Read(folder);
        var config = new Dictionary<string, object>
        {
            ["_class_name"] = "PhotoEncoder",
            ["block_out_channels"] = (int[])[8, 16],
            ["embedding_dims"] = model.Encoders.Select(encoder => encoder.Dimension),
            ["in_channels"] = model.Latents.Channels,
            ["layers_per_block"] = 1,
            ["norm_num_groups"] = 4,
        };
        var target = Directory.CreateDirectory(Path.Combine(folder, "photo_encoder")).FullName;
        File.WriteAllText(Path.Combine(target, "config.json"), JsonSerializer.Serialize(config));
        using var scope = NewDisposeScope();
        using var weights = new RandomWeights(seed);
        _ = new PhotoEncoder(
            new PhotoEncoderConfig
            {
                InChannels = model.Latents.Channels,
                BlockOutChannels = [8, 16],
                LayersPerBlock = 1,
                NormNumGroups = 4,
                EmbeddingDims = [.. model.Encoders.Select(encoder => encoder.Dimension)],
            },
            new WeightScope(weights)
        );
        SafetensorsWriter.Write(Path.Combine(target, "model.safetensors"), weights.Taken);
        return folder;
    }

    private sealed class RandomWeights(ulong seed) : IWeightSource, IDisposable
    {
        private readonly Generator _generator = new(seed, CPU);

        public Dictionary<string, Tensor> Taken { get; } = [];

        public bool Contains(string name) => true;

        public Tensor Take(string name, long[] shape) =>
            Taken[name] = (randn(shape, ScalarType.Float32, generator: _generator) * 0.3).to(ScalarType.Float16);

        public void Dispose() => _generator.Dispose();
    }
}
