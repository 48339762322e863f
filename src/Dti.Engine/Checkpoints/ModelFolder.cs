using System.Text.Json;
using Dti.Engine.Configs;
using Dti.Engine.Runtime.Files;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Checkpoints;

/// <summary>A model folder in the diffusers layout: <c>model_index.json</c> and a folder for each component.</summary>
public sealed class ModelFolder : Checkpoint
{
    private const string Index = "model_index.json";
    private static readonly Dictionary<string, Dictionary<string, string>> _supported = new(StringComparer.Ordinal)
    {
        ["StableDiffusionPipeline"] = new(StringComparer.Ordinal)
        {
            ["text_encoder"] = "CLIPTextModel",
            ["tokenizer"] = "CLIPTokenizer",
            ["unet"] = "UNet2DConditionModel",
            ["vae"] = "AutoencoderKL",
        },
        ["StableDiffusionXLPipeline"] = new(StringComparer.Ordinal)
        {
            ["text_encoder"] = "CLIPTextModel",
            ["text_encoder_2"] = "CLIPTextModelWithProjection",
            ["tokenizer"] = "CLIPTokenizer",
            ["tokenizer_2"] = "CLIPTokenizer",
            ["unet"] = "UNet2DConditionModel",
            ["vae"] = "AutoencoderKL",
        },
    };

    private ModelFolder(string path)
        : base(path)
    {
        using var index = BoundedJson.Read(System.IO.Path.Combine(Path, Index));
        var pipeline = Text(index.RootElement, "_class_name");
        if (!_supported.TryGetValue(pipeline, out var components))
        {
            throw Unsupported($"pipeline '{pipeline}'", string.Join(", ", _supported.Keys));
        }

        TextEncoders = [.. components.Keys.Where(component => component.StartsWith("text_encoder", StringComparison.Ordinal))];
        ForceZerosForEmptyPrompt = TextEncoders.Count > 1 && Text(index.RootElement, "force_zeros_for_empty_prompt") != "False";
        foreach (var (component, supported) in components)
        {
            var found = index.RootElement.TryGetProperty(component, out var value) && value.ValueKind == JsonValueKind.Array && value.GetArrayLength() == 2
                ? value[1].ToString()
                : "nothing";
            if (found != supported && found != supported + "Fast")
            {
                throw Unsupported($"{component} '{found}'", supported);
            }
        }
    }

    /// <inheritdoc/>
    public override string Name => System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(Path));

    /// <inheritdoc/>
    public override IReadOnlyList<string> TextEncoders { get; }

    /// <inheritdoc/>
    public override bool ForceZerosForEmptyPrompt { get; }

    /// <summary>Whether a folder looks like a model folder.</summary>
    public static bool IsModelFolder(string path) => File.Exists(System.IO.Path.Combine(path, Index));

    /// <summary>Opens a folder.</summary>
    /// <exception cref="DtiException">It is not a model folder, or its pipeline or one of its components is not supported.</exception>
    public static new ModelFolder Open(string path) => new(path);

    /// <inheritdoc/>
    public override JsonElement ReadConfig(string component)
    {
        using var json = BoundedJson.Read(System.IO.Path.Combine(Path, component, component == "scheduler" ? "scheduler_config.json" : "config.json"));
        return json.RootElement.Clone();
    }

    /// <inheritdoc/>
    public override ClipTokenizer LoadTokenizer(string textEncoder) =>
        ClipTokenizer.Load(TokenizerFolder(textEncoder));

    /// <inheritdoc/>
    internal override void WriteTokenizer(string textEncoder, string folder)
    {
        foreach (var file in ClipTokenizer.Files.Select(name => System.IO.Path.Combine(TokenizerFolder(textEncoder), name)).Where(File.Exists))
        {
            AtomicFile.WriteAllBytes(System.IO.Path.Combine(folder, System.IO.Path.GetFileName(file)), File.ReadAllBytes(file));
        }
    }

    /// <inheritdoc/>
    public override ComponentWeights OpenWeights(string component, string? variant = null) =>
        ComponentWeights.Open(System.IO.Path.Combine(Path, component), variant);

    private string TokenizerFolder(string textEncoder) => System.IO.Path.Combine(Path, TokenizerOf(textEncoder));

    private DtiException Unsupported(string found, string supported) => new(
        ErrorKind.FailedPrecondition, $"{System.IO.Path.Combine(Path, Index)}: {found} is not supported; folders of Stable Diffusion 1.x, 2.x and XL ({supported}) are.");

    private static string Text(JsonElement root, string key) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(key, out var value) ? value.ToString() : "nothing";
}
