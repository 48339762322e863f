using System.Text.Json;

namespace Dti.Engine.Checkpoints;

/// <summary>A text encoder of a family of single files.</summary>
/// <param name="Component"><c>text_encoder</c> or <c>text_encoder_2</c>.</param>
/// <param name="Prefix">What its names begin with in a file.</param>
/// <param name="OpenClip">It is OpenCLIP's, not OpenAI's.</param>
internal sealed record OriginalTextEncoder(string Component, string Prefix, bool OpenClip)
{
    /// <summary>What fills up prompts.</summary>
    public string PadToken => OpenClip ? "!" : "<|endoftext|>";
}

/// <summary>A family of models that are published as single files.</summary>
/// <param name="Name"><c>sd1</c>, <c>sd2</c> or <c>sdxl</c>: its configs are the resource of that name.</param>
/// <param name="TextEncoders">Its text encoders; a file that has all of them is of this family.</param>
internal sealed record OriginalFamily(string Name, params OriginalTextEncoder[] TextEncoders)
{
    /// <summary>Prefix of the UNet's names.</summary>
    public const string UNetPrefix = "model.diffusion_model.";

    /// <summary>Prefix of the autoencoder's names.</summary>
    public const string VaePrefix = "first_stage_model.";

    private const string InputConvolution = UNetPrefix + "input_blocks.0.0.weight";

    private static readonly OriginalFamily[] _all =
    [
        new("sd1", new OriginalTextEncoder("text_encoder", "cond_stage_model.transformer.", OpenClip: false)),
        new("sd2", new OriginalTextEncoder("text_encoder", "cond_stage_model.model.", OpenClip: true)),
        new(
            "sdxl",
            new OriginalTextEncoder("text_encoder", "conditioner.embedders.0.transformer.", OpenClip: false),
            new OriginalTextEncoder("text_encoder_2", "conditioner.embedders.1.model.", OpenClip: true)),
    ];

    // Names that tell what is not supported yet, or never; the first that fits is named.
    private static readonly (string Prefix, string Kind)[] _others =
    [
        ("conditioner.embedders.0.model.", "the SDXL refiner"),
        ("model.diffusion_model.joint_blocks.", "Stable Diffusion 3"),
        ("joint_blocks.", "Stable Diffusion 3"),
        ("model.diffusion_model.double_blocks.", "Flux"),
        ("double_blocks.", "Flux"),
        ("model.diffusion_model.down_blocks.", "Stable Cascade"),
        ("control_model.", "ControlNet"),
        ("lora_unet_", "LoRA"),
        ("down_blocks.", "a UNet alone, in the diffusers layout"),
        ("encoder.", "an autoencoder alone"),
        ("first_stage_model.", "an autoencoder alone"),
        ("text_model.", "a text encoder alone"),
        ("emb_params", "an embedding"),
        ("clip_l", "an embedding"),
        ("<", "an embedding"),
    ];

    private static readonly Dictionary<long, string> _otherInputs = new()
    {
        [5] = "a depth-to-image model",
        [7] = "an upscaler",
        [8] = "an InstructPix2Pix model",
        [9] = "an inpainting model",
    };

    /// <summary>The family of a file, from its tensors' names and shapes.</summary>
    /// <exception cref="DtiException">It is of none that is supported; the message names what it is, if that is known.</exception>
    public static OriginalFamily Of(SafetensorsFile file)
    {
        var names = file.Tensors.Keys;
        var family = _all.FirstOrDefault(family => family.TextEncoders.All(encoder => names.Any(name => name.StartsWith(encoder.Prefix, StringComparison.Ordinal))));
        if (family is null || !file.Tensors.TryGetValue(InputConvolution, out var input) || input.Shape.Count != 4)
        {
            var kind = _others.FirstOrDefault(other => names.Any(name => name.StartsWith(other.Prefix, StringComparison.Ordinal))).Kind;
            throw Refused(file, kind is null ? "its tensors are those of no model that Dti knows" : $"it is {kind}");
        }

        return input.Shape[1] == 4 ? family : throw Refused(file, $"its UNet takes {input.Shape[1]} channels: it is {_otherInputs.GetValueOrDefault(input.Shape[1], "no text-to-image model")}");
    }

    /// <summary>The family whose published models have token embeddings of these widths, one per text encoder; null: none has.</summary>
    public static OriginalFamily? OfWidths(IReadOnlyList<int> widths) =>
        _all.FirstOrDefault(family => family.TextEncoders.Select(encoder => family.Configs().GetProperty(encoder.Component).GetProperty("hidden_size").GetInt32()).SequenceEqual(widths));

    /// <summary>The family of a name.</summary>
    public static OriginalFamily Named(string name) => _all.Single(family => family.Name == name);

    /// <summary>The configs of the family's published models, by component.</summary>
    public JsonElement Configs()
    {
        using var stream = typeof(OriginalFamily).Assembly.GetManifestResourceStream(Name + ".json")!;
        using var json = JsonDocument.Parse(stream);
        return json.RootElement.Clone();
    }

    /// <summary>Prefix and table of a component.</summary>
    /// <param name="component"><c>unet</c>, <c>vae</c> or a text encoder.</param>
    /// <param name="config">Its config.</param>
    public (string Prefix, IEnumerable<LayoutRow> Rows) Layout(string component, JsonElement config)
    {
        int Number(string key) => config.GetProperty(key).GetInt32();
        int Levels() => config.GetProperty("block_out_channels").GetArrayLength();
        if (TextEncoders.FirstOrDefault(encoder => encoder.Component == component) is { } text)
        {
            return (text.Prefix, text.OpenClip ? OriginalLayout.OpenClip(Number("num_hidden_layers"), projection: TextEncoders.Length > 1) : OriginalLayout.Clip);
        }

        return component switch
        {
            "unet" => (UNetPrefix, OriginalLayout.UNet(Number("layers_per_block"), [.. config.GetProperty("up_block_types").EnumerateArray().Select(type => type.GetString() == "CrossAttnUpBlock2D")])),
            "vae" => (VaePrefix, OriginalLayout.Vae(Levels(), Number("layers_per_block"))),
            _ => throw new ArgumentOutOfRangeException(nameof(component), component, "is no component"),
        };
    }

    private static DtiException Refused(SafetensorsFile file, string why) => new(
        ErrorKind.FailedPrecondition, $"{file.Path} is not a checkpoint of Stable Diffusion 1.x, 2.x or XL: {why}.");
}
