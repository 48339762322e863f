using System.Text.Json;
using System.Text.Json.Nodes;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Checkpoints;

/// <summary>
/// A checkpoint in one file, in the original layout, as ComfyUI and A1111 use it. Such a file has no configs: they are those of its
/// family's published models. EMA weights (<c>model_ema.*</c>) are passed over.
/// </summary>
public sealed class SingleFileCheckpoint : Checkpoint
{
    private const string Ending = ".safetensors";

    // The norm that tells SD 2.x with v-prediction from SD 2.x with ε: training on v leaves its biases wider (ComfyUI's rule).
    private const string TellingNorm = OriginalFamily.UNetPrefix + "output_blocks.11.1.transformer_blocks.0.norm1.bias";
    private const double TellingDeviation = 0.09;

    // An empty tensor with which trainers of SDXL mark v-prediction.
    private const string VPredictionMark = "v_pred";

    private readonly OriginalFamily _family;
    private readonly JsonElement _configs;

    private SingleFileCheckpoint(string path, Checkpoint? like)
        : base(path)
    {
        using var file = SafetensorsFile.Open(path);
        _family = OriginalFamily.Of(file);
        _configs = like is null ? Configs(file) : ConfigsOf(like);
        Like = like;
    }

    /// <inheritdoc/>
    public override string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    private Checkpoint? Like { get; }

    /// <summary>Opens a file.</summary>
    /// <exception cref="DtiException">It is not a safetensors file, or of a kind that is not supported; the message names the kind.</exception>
    public static new SingleFileCheckpoint Open(string path) => new(path, null);

    /// <summary>Opens a file of unusual sizes, whose configs and tokenizer are those of a folder.</summary>
    internal static SingleFileCheckpoint Open(string path, Checkpoint like) => new(path, like);

    internal static bool HasItsEnding(string path) => path.EndsWith(Ending, StringComparison.OrdinalIgnoreCase);

    /// <inheritdoc/>
    public override JsonElement ReadConfig(string component) => _configs.GetProperty(component);

    /// <inheritdoc/>
    public override IReadOnlyList<string> TextEncoders => [.. _family.TextEncoders.Select(encoder => encoder.Component)];

    /// <inheritdoc/>
    public override ClipTokenizer LoadTokenizer(string textEncoder) =>
        Like?.LoadTokenizer(textEncoder) ?? ClipTokenizer.Published(PadToken(textEncoder));

    /// <inheritdoc/>
    internal override void WriteTokenizer(string textEncoder, string folder)
    {
        if (Like is null)
        {
            ClipTokenizer.WritePublished(folder, PadToken(textEncoder));
        }
        else
        {
            Like.WriteTokenizer(textEncoder, folder);
        }
    }

    /// <inheritdoc/>
    public override ComponentWeights OpenWeights(string component, string? variant = null)
    {
        var file = SafetensorsFile.Open(Path);
        try
        {
            var (prefix, rows) = _family.Layout(component, ReadConfig(component));
            var tensors = StoredTensor.Find(rows, prefix, file.Tensors.Values, out var unknown);
            return component != "unet" || unknown.Count == 0
                ? ComponentWeights.Of(file, tensors)
                : throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"{Path}: {unknown.Count} tensors of its UNet are in no {_family.Name} model: {string.Join(", ", unknown.Order(StringComparer.Ordinal).Take(5))}{(unknown.Count > 5 ? ", …" : "")}");
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private string PadToken(string textEncoder) => _family.TextEncoders.Single(encoder => encoder.Component == textEncoder).PadToken;

    private JsonElement Configs(SafetensorsFile file)
    {
        var configs = JsonNode.Parse(_family.Configs().GetRawText())!;
        var prediction = file.Metadata.GetValueOrDefault("modelspec.prediction_type") switch
        {
            "v" or "v_prediction" => "v_prediction",
            "epsilon" => "epsilon",
            _ when file.Tensors.ContainsKey(VPredictionMark) => "v_prediction",
            _ when _family.Name == "sd2" && file.Tensors.ContainsKey(TellingNorm) && Deviation(file) > TellingDeviation => "v_prediction",
            _ => "epsilon",
        };
        configs["scheduler"]!["prediction_type"] = prediction;
        if (prediction == "v_prediction" && _family.Name == "sd2")
        {
            configs["unet"]!["sample_size"] = 96; // 768 × 768
        }

        return JsonSerializer.SerializeToElement(configs);
    }

    private static double Deviation(SafetensorsFile file)
    {
        using var scope = NewDisposeScope();
        return file.Read(TellingNorm).to(ScalarType.Float32).std(unbiased: false).item<float>();
    }

    private static JsonElement ConfigsOf(Checkpoint like) =>
        JsonSerializer.SerializeToElement(((string[])["unet", "vae", .. like.TextEncoders, "scheduler"]).ToDictionary(component => component, like.ReadConfig));
}
