using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Tokenization;
using Dti.Engine.Weights;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Families.TinyDit;

/// <summary>Writes a tiny DiT with random weights as a model folder.</summary>
internal static class TinyDitFolder
{
    public static void Write(string folder)
    {
        var tokenizer = Path.Combine(Fixtures.Root, "tiny-sd15", "tokenizer");
        foreach (var file in Directory.EnumerateFiles(tokenizer))
        {
            Directory.CreateDirectory(Path.Combine(folder, "tokenizer"));
            File.Copy(file, Path.Combine(folder, "tokenizer", Path.GetFileName(file)));
        }

        var vocabulary = ClipTokenizer.Load(tokenizer).VocabularySize;
        Json(
            folder,
            "model_index.json",
            new
            {
                _class_name = TinyDitFamily.Pipeline.ClassName,
                text_encoder = new[] { "dti", "TinyTextModel" },
                tokenizer = new[] { "transformers", "CLIPTokenizer" },
                transformer = new[] { "dti", "TinyDitModel" },
            }
        );
        Json(
            folder,
            "scheduler/scheduler_config.json",
            new
            {
                _class_name = "FlowMatchEulerDiscreteScheduler",
                num_train_timesteps = 1000,
                shift = 3.0,
            }
        );
        Json(folder, "text_encoder/config.json", new { vocab_size = vocabulary });
        Json(folder, "transformer/config.json", new { });
        using var generator = new Generator(1, CPU);
        Weights(Path.Combine(folder, "text_encoder", "model.safetensors"), generator, weights => new TinyTextModel(
            vocabulary,
            weights
        ));
        Weights(
            Path.Combine(folder, "transformer", "diffusion_pytorch_model.safetensors"),
            generator,
            weights => new TinyTransformer(weights)
        );
    }

    private static void Json<T>(string folder, string file, T value)
    {
        var path = Path.Combine(folder, file);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, JsonSerializer.Serialize(value));
    }

    private static void Weights<T>(string path, Generator generator, Func<WeightScope, T> build)
    {
        using var scope = NewDisposeScope();
        var fresh = new FreshWeights(generator);
        build(new WeightScope(fresh));
        SafetensorsWriter.Write(path, fresh.Tensors);
    }

    private sealed class FreshWeights(Generator generator) : IWeightSource
    {
        public Dictionary<string, Tensor> Tensors { get; } = [];

        public bool Contains(string name) => true;

        public Tensor Take(string name, long[] shape)
        {
            var values = randn(shape, generator: generator) * (shape.Length > 1 ? 1 / Math.Sqrt(shape[^1]) : 0.1);
            return Tensors[name] = name.EndsWith("norm.weight", StringComparison.Ordinal) ? values + 1 : values;
        }
    }
}
