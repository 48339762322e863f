using Dti.Engine.Checkpoints;
using Dti.Engine.Configs;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Schedulers;
using Dti.Engine.Tokenization;
using Dti.Engine.Weights;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Checkpoints;

public sealed class SingleFileCheckpointTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-single-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("tiny-sd15", "sd1")]
    [InlineData("tiny-sdxl", "sdxl")]
    public void Load_SingleFile_ComputesWhatTheFolderComputes(string fixture, string family)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var folder = ModelFamilies.BuiltIn.Open(Path.Combine(Fixtures.Root, fixture));
        var target = new ComputeTarget(CPU, ScalarType.Float32);
        using var expected = StableDiffusionModel.Load(ModelFamilies.BuiltIn.Describe(folder), target);
        using var model = StableDiffusionModel.Load(
            ModelFamilies.BuiltIn.Describe(
                ModelFamilies.BuiltIn.OpenFile(
                    Path.Combine(Fixtures.Root, fixture, "single_file.safetensors"),
                    like: folder
                )
            ),
            target
        );

        Assert.Equal(("single_file", family), (model.Profile.Name, model.Profile.Family));
        Assert.Equal(Norms(expected), Norms(model));
        var ids = expected
            .Profile.Encoders.Select(encoder =>
                tensor(encoder.Tokenizer.Tokenize("a photo of a cat").InputIds.Select(id => (long)id).ToArray())
                    .unsqueeze(0)
            )
            .ToArray();
        var none = new Tensor?[ids.Length];
        var (states, _, pooled, _) = expected.Condition(ids, none);
        Same(states, model.Condition(ids, none).States);
        var latents = randn([1, 4, 16, 16], generator: new Generator(1, CPU));
        var added = pooled is null
            ? null
            : new AddedConditioning(pooled, tensor(new float[] { 128, 128, 0, 0, 128, 128 }).unsqueeze(0));
        Same(
            expected.UNet.Forward(latents, tensor([500f]), states, added),
            model.UNet.Forward(latents, tensor([500f]), states, added)
        );
        var picture = expected.Vae.Decode(latents);
        Same(picture, model.Vae.Decode(latents));
        Same(expected.Vae.Encode(picture).Mean, model.Vae.Encode(picture).Mean);
    }

    [Theory]
    [InlineData("sd1", "cond_stage_model.transformer.text_model.final_layer_norm.bias", null, 768, "epsilon", 512)]
    [InlineData("sd2", "cond_stage_model.model.ln_final.bias", null, 1024, "epsilon", 512)]
    [InlineData("sd2", "cond_stage_model.model.ln_final.bias", "v", 1024, "v_prediction", 768)]
    public void Open_FilesOfAFamily_AreToldByTheirNames(
        string family,
        string text,
        string? prediction,
        int width,
        string expected,
        int resolution
    )
    {
        using var scope = NewDisposeScope();
        var metadata = prediction is null
            ? []
            : new Dictionary<string, string> { ["modelspec.prediction_type"] = prediction };
        var checkpoint = ModelFamilies.BuiltIn.Open(
            Write(new() { [text] = zeros(4), [Input] = zeros(8, 4, 3, 3) }, metadata)
        );

        Assert.Equal(
            family == "sd1" ? "quick_gelu" : "gelu",
            checkpoint.ReadConfig("text_encoder").GetProperty("hidden_act").GetString()
        );
        Assert.Equal(width, checkpoint.ReadConfig("unet").GetProperty("cross_attention_dim").GetInt32());
        Assert.Equal(resolution, 8 * checkpoint.ReadConfig("unet").GetProperty("sample_size").GetInt32());
        Assert.Equal(expected, checkpoint.ReadConfig("scheduler").GetProperty("prediction_type").GetString());
        Assert.Equal(49408, checkpoint.LoadTokenizer("text_encoder").VocabularySize);
    }

    /// <summary>The numbers of parameters that the published models have.</summary>
    [Theory]
    [InlineData("sd1", 859_520_964L, 123_060_480L)]
    [InlineData("sd2", 865_910_724L, 340_387_840L)]
    [InlineData("sdxl", 2_567_463_684L, 123_060_480L, 694_659_840L)]
    public void Configs_OfAFamily_GiveModelsOfThePublishedSize(string family, long unet, params long[] texts)
    {
        string[] names = family switch
        {
            "sd1" => ["cond_stage_model.transformer.text_model.final_layer_norm.bias"],
            "sd2" => ["cond_stage_model.model.ln_final.bias"],
            _ =>
            [
                "conditioner.embedders.0.transformer.text_model.final_layer_norm.bias",
                "conditioner.embedders.1.model.ln_final.bias",
            ],
        };
        using var scope = NewDisposeScope();
        var checkpoint = ModelFamilies.BuiltIn.Open(
            Write(names.Append(Input).ToDictionary(name => name, name => name == Input ? zeros(8, 4, 3, 3) : zeros(4)))
        );
        ComponentConfig Config(string component) => new(component, checkpoint.ReadConfig(component));

        Assert.Equal(
            unet,
            Count(weights => new UNet2DConditionModel(UNet2DConditionConfig.Parse(Config("unet")), weights))
        );
        Assert.Equal(
            texts,
            checkpoint.TextEncoders.Select(
                (component, i) =>
                    Count(weights => new ClipTextModel(
                        ClipTextConfig.Parse(Config(component), projection: i == 1),
                        weights
                    ))
            )
        );
        Assert.Equal(
            83_653_863,
            Count(weights => new AutoencoderKL(AutoencoderKLConfig.Parse(Config("vae")), weights))
        );
    }

    private static IEnumerable<(double Min, double Mean, double Median, double Max)> Norms(
        StableDiffusionModel model
    ) =>
        model
            .Profile.Encoders.Select(encoder => encoder.VocabularyNorms)
            .Select(norms => (norms.Min, norms.Mean, norms.Median, norms.Max));

    private static long Count<T>(Func<WeightScope, T> build)
    {
        var counter = new CountingWeights();
        build(new WeightScope(counter));
        return counter.Parameters;
    }

    private sealed class CountingWeights : IWeightSource
    {
        public long Parameters { get; private set; }

        public bool Contains(string name) => false;

        public Tensor Take(string name, long[] shape)
        {
            Parameters += shape.Aggregate(1L, (product, side) => product * side);
            return zeros(1);
        }
    }

    [Theory]
    [InlineData(0.05, "epsilon")]
    [InlineData(0.2, "v_prediction")]
    public void Open_Sd2WithoutMetadata_TellsThePredictionByANorm(double deviation, string expected)
    {
        using var scope = NewDisposeScope();
        var norm = tensor(Enumerable.Range(0, 64).Select(i => (float)(i % 2 == 0 ? deviation : -deviation)).ToArray());
        var checkpoint = ModelFamilies.BuiltIn.Open(
            Write(
                new()
                {
                    ["cond_stage_model.model.ln_final.bias"] = zeros(4),
                    [Input] = zeros(8, 4, 3, 3),
                    ["model.diffusion_model.output_blocks.11.1.transformer_blocks.0.norm1.bias"] = norm,
                }
            )
        );

        Assert.Equal(expected, checkpoint.ReadConfig("scheduler").GetProperty("prediction_type").GetString());
    }

    [Fact]
    public void Describe_FileWithoutAutoencoder_IsUsedWithAnother()
    {
        using var scope = NewDisposeScope();
        var folder = Path.Combine(Fixtures.Root, "tiny-sd15");
        using var file = SafetensorsFile.Open(Path.Combine(folder, "single_file.safetensors"));
        var path = Write(
            file.Tensors.Keys.Where(name => !name.StartsWith("first_stage_model.", StringComparison.Ordinal))
                .ToDictionary(name => name, file.Read)
        );

        var profile = ModelFamilies.BuiltIn.Describe(
            ModelFamilies.BuiltIn.OpenFile(path, like: ModelFamilies.BuiltIn.Open(folder))
        );
        var whole = profile.With(AutoencoderProfile.Read(Path.Combine(folder, "vae")));

        Assert.Equal((true, false), (profile.LacksAutoencoder, whole.LacksAutoencoder));
        whole.Load(new ComputeTarget(CPU, ScalarType.Float32)).Dispose();
    }

    /// <summary>What SDXL fine-tunes say of themselves, as ComfyUI reads it.</summary>
    [Theory]
    [InlineData("epsilon", false)]
    [InlineData("v_prediction", false, "v_pred")]
    [InlineData("v_prediction", true, "v_pred", "ztsnr")]
    [InlineData("v_prediction", true, "ztsnr", "modelspec.prediction_type=v")]
    [InlineData("epsilon", false, "v_pred", "modelspec.prediction_type=epsilon")]
    [InlineData(
        "epsilon",
        false,
        "betas",
        "alphas_cumprod",
        "logvar",
        "modelspec.architecture=stable-diffusion-xl-v1-base"
    )]
    public void Open_MarksOfAFineTune_AreInItsSchedule(string prediction, bool zeroSnr, params string[] marks)
    {
        var scheduler = SchedulerConfig.Parse(ModelFamilies.BuiltIn.Open(WriteMarked(marks)).ReadConfig("scheduler"));

        Assert.Equal(
            prediction == "epsilon" ? PredictionType.Epsilon : PredictionType.VPrediction,
            scheduler.PredictionType
        );
        Assert.Equal(
            (zeroSnr, zeroSnr ? TimestepSpacing.Trailing : TimestepSpacing.Leading),
            (scheduler.ZeroTerminalSnr, scheduler.TimestepSpacing)
        );
        using var process = new DdpmProcess(scheduler);
        Assert.Equal(zeroSnr, process.AlphasCumprod[-1].item<float>() < 1e-7);
        using var sampler = scheduler.CreateSampler(scheduler.DefaultSampler, 10);
        Assert.Equal(zeroSnr, sampler.Timesteps[0] == 999);
    }

    [Theory]
    [InlineData("ztsnr", "'ztsnr' and not 'v_pred'")]
    [InlineData("edm_mean", "'edm_mean' and not 'edm_std'")]
    [InlineData("edm_std", "'edm_std' and not 'edm_mean'")]
    [InlineData("edm_vpred.sigma_min", "'edm_vpred.sigma_min' and not 'edm_vpred.sigma_max'")]
    [InlineData("edm_vpred.sigma_max", "'edm_vpred.sigma_max' is (0), and 1 value(s) are expected")]
    [InlineData("scaled_fp8", "float8")]
    [InlineData("model.diffusion_model.out.2.scale_weight", "float8")]
    [InlineData("some_mark", "'some_mark'")]
    [InlineData("modelspec.prediction_type=rectified_flow", "rectified_flow")]
    [InlineData("modelspec.architecture=stable-diffusion-xl-v1-refiner", "refiner")]
    [InlineData("modelspec.architecture=stable-diffusion-xl-v1-base/lora", "lora")]
    public void Open_MarkThatIsNotImplemented_RefusesTheFileByName(string mark, string expected)
    {
        var error = Assert.Throws<DtiException>(() => ModelFamilies.BuiltIn.Open(WriteMarked(mark)));
        Assert.Contains(expected, error.Message, StringComparison.Ordinal);
    }

    /// <summary>Playground 2.5 and CosXL, as ComfyUI and diffusers read their marks.</summary>
    [Fact]
    public void Open_MarksOfPlayground_AreInItsScheduleAndItsLatents()
    {
        using var scope = NewDisposeScope();
        var checkpoint = ModelFamilies.BuiltIn.Open(
            WriteMarked(
                new Dictionary<string, Tensor>
                {
                    ["edm_mean"] = tensor(new[] { -1.6574f, 1.886f, -1.383f, 2.5155f }).view(1, 4, 1, 1),
                    ["edm_std"] = tensor(new[] { 8.4927f, 5.9022f, 6.5498f, 5.2299f }).view(1, 4, 1, 1),
                }
            )
        );

        var (noise, vae) = (
            EdmConfig.Parse(checkpoint.ReadConfig("scheduler")),
            AutoencoderKLConfig.Parse(new ComponentConfig("vae", checkpoint.ReadConfig("vae")))
        );
        Assert.Equal(
            (PredictionType.Epsilon, 0.5, 80.0, 0.002, SigmaSchedule.Karras, "dpmpp_2m"),
            (
                noise.PredictionType,
                noise.SigmaData,
                noise.SigmaMax,
                noise.SigmaMin,
                noise.Schedule,
                noise.DefaultSampler
            )
        );
        Assert.Equal(0.5, vae.ScalingFactor);
        Assert.Equal([-1.6574, 1.886, -1.383, 2.5155], vae.Statistics!.Mean);
        Assert.Equal([8.4927, 5.9022, 6.5498, 5.2299], vae.Statistics.Deviation);
    }

    [Theory]
    [InlineData(120f, 0.002f)]
    [InlineData(80f, null)]
    public void Open_MarksOfCosXL_AreInItsSchedule(float largest, float? smallest)
    {
        using var scope = NewDisposeScope();
        var marks = new Dictionary<string, Tensor> { ["edm_vpred.sigma_max"] = tensor(largest) };
        if (smallest is { } value)
        {
            marks.Add("edm_vpred.sigma_min", tensor(value));
        }

        var noise = EdmConfig.Parse(ModelFamilies.BuiltIn.Open(WriteMarked(marks)).ReadConfig("scheduler"));

        Assert.Equal(
            (PredictionType.VPrediction, 1.0, (double)largest, 0.002, SigmaSchedule.Exponential, "euler"),
            (
                noise.PredictionType,
                noise.SigmaData,
                noise.SigmaMax,
                noise.SigmaMin,
                noise.Schedule,
                noise.DefaultSampler
            )
        );
    }

    [Fact]
    public void Open_MarksOfEdmThatContradict_RefuseTheFileByName()
    {
        using var scope = NewDisposeScope();
        Assert.Contains(
            "two models, 'edm_mean' and 'edm_vpred.sigma_max'",
            Refused(
                new()
                {
                    ["edm_mean"] = ones(4),
                    ["edm_std"] = ones(4),
                    ["edm_vpred.sigma_max"] = ones(1),
                }
            ),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "'edm_std' holds values that are not above 0",
            Refused(new() { ["edm_mean"] = ones(4), ["edm_std"] = zeros(4) }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "say 0.002 to 0, which is no range",
            Refused(new() { ["edm_vpred.sigma_max"] = zeros(1) }),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "'ztsnr', which is of DDPM",
            Refused(
                new()
                {
                    ["edm_vpred.sigma_max"] = ones(1),
                    ["ztsnr"] = zeros(0),
                    ["v_pred"] = zeros(0),
                }
            ),
            StringComparison.Ordinal
        );

        string Refused(Dictionary<string, Tensor> marks) =>
            Assert.Throws<DtiException>(() => ModelFamilies.BuiltIn.Open(WriteMarked(marks))).Message;
    }

    [Fact]
    public void Open_MarkOfEdmInAnotherFamily_RefusesTheFileByName()
    {
        using var scope = NewDisposeScope();
        var path = Write(
            new()
            {
                ["cond_stage_model.transformer.text_model.final_layer_norm.bias"] = zeros(4),
                [Input] = zeros(8, 4, 3, 3),
                ["edm_vpred.sigma_max"] = ones(1),
            }
        );
        Assert.Contains(
            "'edm_vpred.sigma_max'",
            Assert.Throws<DtiException>(() => ModelFamilies.BuiltIn.Open(path)).Message,
            StringComparison.Ordinal
        );
    }

    /// <summary>An SDXL file of a few tensors, with empty ones for marks and <c>key=value</c> for metadata.</summary>
    private string WriteMarked(params string[] marks)
    {
        using var scope = NewDisposeScope();
        return WriteMarked(
            marks
                .Where(mark => !mark.Contains('=', StringComparison.Ordinal))
                .ToDictionary(mark => mark, _ => zeros(0)),
            marks
                .Where(mark => mark.Contains('=', StringComparison.Ordinal))
                .ToDictionary(mark => mark.Split('=')[0], mark => mark.Split('=')[1])
        );
    }

    private string WriteMarked(Dictionary<string, Tensor> tensors, Dictionary<string, string>? metadata = null)
    {
        tensors.Add("conditioner.embedders.0.transformer.text_model.final_layer_norm.bias", zeros(4));
        tensors.Add("conditioner.embedders.1.model.ln_final.bias", zeros(4));
        tensors.Add(Input, zeros(8, 4, 3, 3));
        return Write(tensors, metadata);
    }

    [Theory]
    [InlineData("conditioner.embedders.0.model.ln_final.bias", "refiner")]
    [InlineData("model.diffusion_model.joint_blocks.0.x", "Stable Diffusion 3")]
    [InlineData("double_blocks.0.img_attn.qkv.weight", "Flux")]
    [InlineData("lora_unet_down_blocks_0.lora_down.weight", "LoRA")]
    [InlineData("emb_params", "an embedding")]
    [InlineData("something.else", "no model that Dti knows")]
    public void Open_AnotherKind_IsRefusedByName(string name, string kind)
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<DtiException>(() => ModelFamilies.BuiltIn.Open(Write(new() { [name] = zeros(4) })));
        Assert.Contains(kind, error.Message, StringComparison.Ordinal);
        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
    }

    [Fact]
    public void Open_Inpainting_IsRefusedByName()
    {
        using var scope = NewDisposeScope();
        var error = Assert.Throws<DtiException>(() =>
            ModelFamilies.BuiltIn.Open(
                Write(
                    new()
                    {
                        ["cond_stage_model.transformer.text_model.final_layer_norm.bias"] = zeros(4),
                        [Input] = zeros(8, 9, 3, 3),
                    }
                )
            )
        );
        Assert.Contains("an inpainting model", error.Message, StringComparison.Ordinal);
    }

    private const string Input = "model.diffusion_model.input_blocks.0.0.weight";

    private string Write(Dictionary<string, Tensor> tensors, Dictionary<string, string>? metadata = null)
    {
        var path = Path.Combine(_folder.FullName, "model.safetensors");
        SafetensorsWriter.Write(path, tensors, metadata ?? []);
        return path;
    }

    private static void Same(Tensor expected, Tensor actual) => Assert.True(expected.eq(actual).all().item<bool>());
}
