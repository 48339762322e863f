using System.Text.Json;
using System.Text.Json.Nodes;
using Dti.Engine.Checkpoints;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using static TorchSharp.torch;

namespace Dti.Engine.Models.Families.StableDiffusion;

/// <summary>A text encoder of a family of single files.</summary>
/// <param name="Component"><c>text_encoder</c> or <c>text_encoder_2</c>.</param>
/// <param name="EmbeddingKey">The key of its vectors in embedding files for several encoders.</param>
/// <param name="Prefix">What its names begin with in a file.</param>
/// <param name="OpenClip">It is OpenCLIP's, not OpenAI's.</param>
internal sealed record OriginalTextEncoder(string Component, string EmbeddingKey, string Prefix, bool OpenClip)
{
    /// <summary>What fills up prompts.</summary>
    public string PadToken => OpenClip ? "!" : "<|endoftext|>";
}

/// <summary>
/// The single files of Stable Diffusion 1.x, 2.x or XL, in the original layout that ComfyUI and A1111 use.
/// </summary>
internal sealed class OriginalFamily : SingleFileLayout
{
    private OriginalFamily(string name, PipelineLayout pipeline, params OriginalTextEncoder[] textEncoders) =>
        (Name, Pipeline, TextEncoders) = (name, pipeline, textEncoders);

    /// <summary>Prefix of the UNet's names.</summary>
    public const string UNetPrefix = "model.diffusion_model.";

    private const string XL = "sdxl";
    private const string InputConvolution = UNetPrefix + "input_blocks.0.0.weight";

    // The norm that tells SD 2.x with v-prediction from SD 2.x with ε: training on v leaves its biases wider (ComfyUI's
    // rule).
    private const string DistinguishingNorm = UNetPrefix + "output_blocks.11.1.transformer_blocks.0.norm1.bias";
    private const double DistinguishingDeviation = 0.09;

    private static readonly Dictionary<long, string> _otherInputs = new()
    {
        [5] = "a depth-to-image model",
        [7] = "an upscaler",
        [8] = "an InstructPix2Pix model",
        [9] = "an inpainting model",
    };

    /// <summary>All of them.</summary>
    public static IReadOnlyList<OriginalFamily> All { get; } =
    [
        new(
            "sd1",
            StableDiffusionPipelines.Plain,
            new OriginalTextEncoder("text_encoder", "clip_l", "cond_stage_model.transformer.", OpenClip: false)
        ),
        new(
            "sd2",
            StableDiffusionPipelines.Plain,
            new OriginalTextEncoder("text_encoder", "clip_h", "cond_stage_model.model.", OpenClip: true)
        ),
        new(
            XL,
            StableDiffusionPipelines.XL,
            new OriginalTextEncoder("text_encoder", "clip_l", "conditioner.embedders.0.transformer.", OpenClip: false),
            new OriginalTextEncoder("text_encoder_2", "clip_g", "conditioner.embedders.1.model.", OpenClip: true)
        ),
    ];

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override PipelineLayout Pipeline { get; }

    /// <summary>Its text encoders; a file that has all of them is of this family.</summary>
    public IReadOnlyList<OriginalTextEncoder> TextEncoders { get; }

    /// <summary>The vectors that its embedding files hold, with the widths of the published models.</summary>
    public EmbeddingLayout Embeddings =>
        new(
            Name,
            [
                .. TextEncoders.Select(encoder => new EmbeddingKey(
                    encoder.EmbeddingKey,
                    Configs().GetProperty(encoder.Component).GetProperty("hidden_size").GetInt32()
                )),
            ]
        );

    /// <summary>The family of a name.</summary>
    public static OriginalFamily Named(string name) => All.Single(family => family.Name == name);

    /// <inheritdoc/>
    public override bool Matches(SafetensorsFile file)
    {
        if (
            !TextEncoders.All(encoder =>
                file.Tensors.Keys.Any(name => name.StartsWith(encoder.Prefix, StringComparison.Ordinal))
            )
            || !file.Tensors.TryGetValue(InputConvolution, out var input)
            || input.Shape.Count != 4
        )
        {
            return false;
        }

        if (input.Shape[1] == 4)
        {
            CheckpointMarks.Check(file, isXL: Name == XL);
            return true;
        }

        throw UnsupportedFiles.Refused(
            file,
            $"its UNet takes {input.Shape[1]} channels: it is {_otherInputs.GetValueOrDefault(input.Shape[1], "no text-to-image model")}"
        );
    }

    /// <inheritdoc/>
    public override JsonElement Configs(SafetensorsFile file)
    {
        var configs = JsonNode.Parse(Configs().GetRawText())!;
        var marked =
            CheckpointMarks.PredictsV(file)
            || file.Metadata.GetValueOrDefault(CheckpointMarks.PredictionKey) == "epsilon";
        var told =
            Name == "sd2"
            && !marked
            && file.Tensors.ContainsKey(DistinguishingNorm)
            && Deviation(file) > DistinguishingDeviation;
        var predictsV = told || CheckpointMarks.PredictsV(file);
        configs["scheduler"]!["prediction_type"] = predictsV ? "v_prediction" : "epsilon";
        if (predictsV && Name == "sd2")
        {
            configs["unet"]!["sample_size"] = 96; // 768 × 768
        }

        if (file.Tensors.ContainsKey(CheckpointMarks.ZeroTerminalSnr))
        {
            configs["scheduler"]!["rescale_betas_zero_snr"] = true;
            configs["scheduler"]!["timestep_spacing"] = "trailing"; // the last step, of noise alone, is sampled, too
        }

        EdmMarks.Apply(file, configs);
        return JsonSerializer.SerializeToElement(configs);
    }

    /// <inheritdoc/>
    public override ITokenizer LoadTokenizer(string textEncoder) => ClipTokenizer.Published(PadToken(textEncoder));

    /// <inheritdoc/>
    public override void WriteTokenizer(string textEncoder, string folder) =>
        ClipTokenizer.WritePublished(folder, PadToken(textEncoder));

    /// <inheritdoc/>
    public override JsonObject FolderConfig(string component, JsonElement config) =>
        DiffusersConfigs.Component(component, config);

    /// <inheritdoc/>
    public override JsonObject FolderIndex(Checkpoint checkpoint) => DiffusersConfigs.Index(checkpoint);

    /// <inheritdoc/>
    public override IReadOnlyDictionary<string, string> Metadata(Checkpoint checkpoint) =>
        new Dictionary<string, string>
        {
            ["format"] = "pt", // transformers asks for it
            [CheckpointMarks.PredictionKey] =
                StableDiffusionNoise.Parse(checkpoint.ReadConfig("scheduler")).PredictionType
                == PredictionType.VPrediction
                    ? "v"
                    : "epsilon",
        };

    /// <inheritdoc/>
    public override IReadOnlyList<CheckpointMark> Marks(Checkpoint checkpoint)
    {
        var (noise, vae) = (
            StableDiffusionNoise.Parse(checkpoint.ReadConfig("scheduler")),
            AutoencoderKLConfig.Parse(ModelProfile.Config(checkpoint, "vae"))
        );
        if (noise is EdmConfig edm && Name == XL)
        {
            return EdmMarks.Of(edm, vae, checkpoint.Path);
        }

        if (noise is not SchedulerConfig scheduler || vae.Statistics is not null)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{checkpoint.Path}: a single file of {Name} cannot say {(vae.Statistics is null ? $"{noise.ClassName}" : "latents_mean and latents_std")}. Use the folder as it is."
            );
        }

        return
        [
            .. Name == XL && scheduler.PredictionType == PredictionType.VPrediction
                ? [CheckpointMark.Flag(CheckpointMarks.VPrediction)]
                : Array.Empty<CheckpointMark>(),
            .. scheduler.ZeroTerminalSnr
                ? [CheckpointMark.Flag(CheckpointMarks.ZeroTerminalSnr)]
                : Array.Empty<CheckpointMark>(),
        ];
    }

    /// <summary>The configs of the family's published models, by component.</summary>
    public JsonElement Configs()
    {
        using var stream = typeof(OriginalFamily).Assembly.GetManifestResourceStream(Name + ".json")!;
        using var json = JsonDocument.Parse(stream);
        return json.RootElement.Clone();
    }

    /// <inheritdoc/>
    internal override (string Prefix, IEnumerable<LayoutRow> Rows) Layout(string component, JsonElement config)
    {
        int Number(string key) => config.GetProperty(key).GetInt32();
        int Levels() => config.GetProperty("block_out_channels").GetArrayLength();
        if (TextEncoders.FirstOrDefault(encoder => encoder.Component == component) is { } text)
        {
            return (
                text.Prefix,
                text.OpenClip
                    ? OriginalLayout.OpenClip(Number("num_hidden_layers"), projection: TextEncoders.Count > 1)
                    : OriginalLayout.Clip
            );
        }

        return component switch
        {
            "unet" => (
                UNetPrefix,
                UNetLayout.Rows(
                    Number("layers_per_block"),
                    [
                        .. config
                            .GetProperty("up_block_types")
                            .EnumerateArray()
                            .Select(type => type.GetString() == "CrossAttnUpBlock2D"),
                    ]
                )
            ),
            "vae" => (OriginalLayout.VaePrefix, OriginalLayout.Vae(Levels(), Number("layers_per_block"))),
            _ => throw new ArgumentOutOfRangeException(nameof(component), component, "is no component"),
        };
    }

    private string PadToken(string textEncoder) =>
        TextEncoders.Single(encoder => encoder.Component == textEncoder).PadToken;

    private static double Deviation(SafetensorsFile file)
    {
        using var scope = NewDisposeScope();
        return file.Read(DistinguishingNorm).to(ScalarType.Float32).std(unbiased: false).item<float>();
    }
}
