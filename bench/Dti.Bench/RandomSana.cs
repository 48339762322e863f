using System.Text.Json;
using Dti.Engine.Checkpoints;
using Dti.Engine.Configs;
using Dti.Engine.Models.Families.Sana;
using Dti.Engine.Runtime.Files;
using Dti.Engine.Weights;

namespace Dti.Bench;

/// <summary>
/// A model folder of SANA in the shapes of the published 1.6B model at 1024 pixels, with random weights in bf16. The
/// tokenizer is that of the miniature model, whose tokens the vocabulary has.
/// </summary>
internal static class RandomSana
{
    private static readonly RandomNumbers _numbers = new("BF16");
    private static readonly int[] _channels = [128, 256, 512, 512, 1024, 1024];
    private static readonly string[] _blocks =
    [
        "ResBlock",
        "ResBlock",
        "ResBlock",
        "EfficientViTBlock",
        "EfficientViTBlock",
        "EfficientViTBlock",
    ];

    private static readonly int[] _encoderLayers = [2, 2, 2, 3, 3, 3];
    private static readonly int[] _decoderLayers = [3, 3, 3, 3, 3, 3];
    private static readonly int[][] _scales =
    [
        [],
        [],
        [],
        [5],
        [5],
        [5],
    ];

    /// <summary>Writes the folder.</summary>
    /// <param name="folder">Where to; it is made.</param>
    /// <param name="textLayers">Layers of the text encoder; published are 26.</param>
    public static void Write(string folder, int textLayers)
    {
        var like = Folders.Fixture("tiny-sana");
        foreach (
            var file in new[] { "model_index.json", "scheduler/scheduler_config.json", "tokenizer/tokenizer.json" }
        )
        {
            Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(folder, file))!);
            File.Copy(Path.Combine(like, file), Path.Combine(folder, file), overwrite: true);
        }

        Component(folder, "text_encoder", "model", new { num_hidden_layers = textLayers }, (config, weights) =>
            new Gemma2Model(Gemma2Config.Parse(config), weights)
        );
        Component(
            folder,
            "transformer",
            "diffusion_pytorch_model",
            new { cross_attention_dim = 2240 },
            (config, weights) => new SanaTransformer2DModel(SanaTransformerConfig.Parse(config), weights)
        );
        Component(
            folder,
            "vae",
            "diffusion_pytorch_model",
            new
            {
                latent_channels = 32,
                scaling_factor = 0.41407,
                attention_head_dim = 32,
                downsample_block_type = "conv",
                upsample_block_type = "interpolate",
                encoder_block_out_channels = _channels,
                decoder_block_out_channels = _channels,
                encoder_block_types = _blocks,
                decoder_block_types = _blocks,
                encoder_layers_per_block = _encoderLayers,
                decoder_layers_per_block = _decoderLayers,
                encoder_qkv_multiscales = _scales,
                decoder_qkv_multiscales = _scales,
            },
            (config, weights) => new AutoencoderDC(AutoencoderDCConfig.Parse(config), weights)
        );
    }

    private static void Component<T>(
        string folder,
        string name,
        string file,
        T settings,
        Func<ComponentConfig, WeightScope, object> build
    )
    {
        var json = JsonSerializer.SerializeToElement(settings);
        var path = Path.Combine(folder, name, "config.json");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, json.GetRawText());
        var shapes = new RecordedShapes();
        build(new ComponentConfig(name, json), new WeightScope(shapes));
        var tensors = shapes.Shapes.Select(tensor => new OutgoingTensor(
            tensor.Key,
            _numbers.Dtype,
            tensor.Value,
            stream => _numbers.Fill(stream, tensor.Value, IsScale(name, tensor.Key))
        ));
        AtomicFile.Write(Path.Combine(folder, name, $"{file}.safetensors"), stream =>
            SafetensorsWriter.Write(stream, tensors, new Dictionary<string, string> { ["format"] = "pt" })
        );
    }

    /// <summary>Gemma's norms scale by 1 + w, the others by w.</summary>
    private static bool IsScale(string component, string tensor) =>
        component != "text_encoder"
        && tensor.Contains("norm", StringComparison.Ordinal)
        && tensor.EndsWith(".weight", StringComparison.Ordinal);
}
