using Dti.Engine.Checkpoints;
using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.Sana;
using Dti.Engine.Planning;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Tests.Training;
using Dti.Engine.Training;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Families.Sana;

/// <summary>Model folders of SANA: which are read, which are refused by name, and what is estimated of them.</summary>
public class SanaFolderTests(SanaFixture models) : IClassFixture<SanaFixture>
{
    [Fact]
    public void Read_Folder_KnowsTheModelWithoutItsWeights()
    {
        var profile = ModelFamilies.BuiltIn.Read(SanaFixture.Folder);

        Assert.Equal(("sana", 1024, 40), (profile.Family, profile.Resolution, profile.EmbeddingDimension));
        Assert.Equal(new LatentShape(8, 32), profile.Latents);
        Assert.Equal("dpmpp_2m", profile.Noise.DefaultSampler);
        Assert.Equal(1.7906, profile.VocabularyNorms.Mean, 1e-4);
        Assert.Equal(1, profile.MaxClipSkip);
        Assert.Equal("fp32", profile.StoredDtype);
        Assert.Equal("gemma2_2b, 40 wide, attention softcapping off", profile.Encoders[0].Description);
        Assert.Equal(
            "gemma2_2b, 40 wide, attention softcapping on",
            models.Of("eager").Profile.Encoders[0].Description
        );
        Assert.Equal("bf16", models.Of("transformer_15").Profile.StoredDtype);
    }

    [Theory]
    [InlineData("model_index.json", "\"SanaPipeline\"", "\"SanaSprintPipeline\"", "SanaSprintPipeline")]
    [InlineData("model_index.json", "\"SanaPipeline\"", "\"SanaControlNetPipeline\"", "SanaControlNetPipeline")]
    [InlineData("model_index.json", "\"SanaPipeline\"", "\"SanaVideoPipeline\"", "SanaVideoPipeline")]
    [InlineData("model_index.json", "\"Gemma2Model\"", "\"GemmaModel\"", "GemmaModel")]
    [InlineData(
        "transformer/config.json",
        "\"guidance_embeds\": false",
        "\"guidance_embeds\": true",
        "guidance_embeds"
    )]
    [InlineData(
        "transformer/config.json",
        "\"interpolation_scale\": null",
        "\"interpolation_scale\": 2",
        "interpolation_scale"
    )]
    [InlineData("transformer/config.json", "\"caption_channels\": 40", "\"caption_channels\": 48", "transformer (48)")]
    [InlineData(
        "vae/config.json",
        "\"upsample_block_type\": \"interpolate\"",
        "\"upsample_block_type\": \"pixel_shuffle\"",
        "upsample_block_type"
    )]
    [InlineData("vae/config.json", "\"decoder_act_fns\": \"silu\"", "\"decoder_act_fns\": \"relu\"", "decoder_act_fns")]
    [InlineData("text_encoder/config.json", "\"attention_bias\": false", "\"attention_bias\": true", "attention_bias")]
    [InlineData(
        "text_encoder/config.json",
        "\"attention_bias\": false",
        "\"attn_implementation\": \"flash_attention_2\"",
        "flash_attention_2"
    )]
    [InlineData(
        "text_encoder/config.json",
        "\"num_key_value_heads\": 2",
        "\"num_key_value_heads\": 3",
        "num_key_value_heads"
    )]
    [InlineData("tokenizer/tokenizer.json", "\"BPE\"", "\"Unigram\"", "tokenizer.json")]
    [InlineData("scheduler/scheduler_config.json", "DPMSolverMultistepScheduler", "SCMScheduler", "SCMScheduler")]
    public void Read_UnsupportedFolder_NamesWhatIsNot(string file, string from, string to, string word)
    {
        var folder = SanaFixture.Copy((file, from, to));

        var error = Assert.Throws<DtiException>(() => ModelFamilies.BuiltIn.Read(folder.FullName));

        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.Contains(word, error.Message, StringComparison.Ordinal);
        folder.Delete(recursive: true);
    }

    [Fact]
    public void Read_PipelineOfNoFamily_ListsThoseThatAreSupported()
    {
        var folder = SanaFixture.Copy(("model_index.json", "\"SanaPipeline\"", "\"FluxPipeline\""));

        var error = Assert.Throws<DtiException>(() => ModelFamilies.BuiltIn.Read(folder.FullName));

        Assert.EndsWith(
            "pipeline 'FluxPipeline' is not supported; StableDiffusionPipeline, StableDiffusionXLPipeline, SanaPipeline are.",
            error.Message,
            StringComparison.Ordinal
        );
        folder.Delete(recursive: true);
    }

    [Fact]
    public void Read_TokenizerOfTransformers5_IsTaken()
    {
        var folder = SanaFixture.Copy(("model_index.json", "GemmaTokenizerFast", "GemmaTokenizer"));

        Assert.Equal(900, ModelFamilies.BuiltIn.Read(folder.FullName).Tokenizer.VocabularySize);
        folder.Delete(recursive: true);
    }

    [Theory]
    [InlineData(8, null)]
    [InlineData(4, "the latents have 8 channels")]
    public void Read_NotesOfLatents_GivePreviewsWhileSampling(int rows, string? refusal)
    {
        var folder = SanaFixture.Copy();
        File.WriteAllText(
            Path.Combine(folder.FullName, "dti.json"),
            $"{{\"latent_rgb_factors\": [{string.Join(',', Enumerable.Repeat("[0.1, 0.2, 0.3]", rows))}]}}"
        );

        if (refusal is null)
        {
            Assert.NotNull(ModelFamilies.BuiltIn.Read(folder.FullName).LatentRgb);
        }
        else
        {
            var error = Assert.Throws<DtiException>(() => ModelFamilies.BuiltIn.Read(folder.FullName));
            Assert.Contains(refusal, error.Message, StringComparison.Ordinal);
        }

        folder.Delete(recursive: true);
    }

    [Fact]
    public void With_AutoencoderOfStableDiffusion_IsRefused() =>
        Assert.Contains(
            "has no autoencoder that another can replace",
            Assert
                .Throws<DtiException>(() =>
                    models.Model.Profile.With(AutoencoderProfile.Read(Path.Combine(Fixtures.Root, "tiny-sd15", "vae")))
                )
                .Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void OfTraining_Footprint_GrowsWithTheBatchAndShrinksWithCheckpoints()
    {
        long Estimate(int batch, MemoryPolicy policy) =>
            MemoryEstimate.OfTraining(
                models.Model.Profile,
                models.Model.Target,
                policy,
                TrainingSettings.Resolve(
                    new TrainingOptions
                    {
                        BatchSize = batch,
                        Resolution = 512,
                        PreviewEvery = 0,
                        Steps = 1,
                    },
                    "cat",
                    models.Model.Profile,
                    () => 1
                )
            );

        Assert.True(Estimate(64, MemoryPolicy.High) > Estimate(8, MemoryPolicy.High));
        Assert.True(Estimate(64, MemoryPolicy.Low) < Estimate(64, MemoryPolicy.High));
    }

    [Fact]
    public void OfGeneration_Footprint_GrowsWithTheImage()
    {
        long Estimate(int side) =>
            MemoryEstimate.OfGeneration(
                models.Model.Profile,
                models.Model.Target,
                MemoryPolicy.High,
                GenerationSettings.Resolve(
                    new GenerationOptions { Width = side, Height = side },
                    models.Model.Profile,
                    () => 1
                )
            );

        Assert.True(Estimate(2048) > 2 * Estimate(512));
    }

    [Fact]
    public void Run_TrainingInBFloat16_LearnsAndGenerates()
    {
        using var model = SanaModel.Load(models.Model.Profile, new ComputeTarget(CPU, ScalarType.BFloat16));
        var settings = TrainingSettings.Resolve(
            new TrainingOptions
            {
                Steps = 2,
                BatchSize = 1,
                Resolution = 64,
                PreviewEvery = 2,
                PreviewSteps = 1,
                Initializer = "white cat",
            },
            "cat",
            model.Profile,
            () => 3
        );

        var events = new Trainer(model, settings, NoisePhotos.Load()).Run(default).ToList();

        var concept = Assert.IsType<TrainingFinished>(events[^1]).Concept;
        Assert.Single(events.OfType<TrainingPreview>());
        Assert.Equal(2, concept.VectorCount);
        Assert.All(concept.Encoders[0].Magnitudes, magnitude => Assert.Equal(1.7906, magnitude, 1e-3));
    }

    [Fact]
    public void Load_ShardThatIsMissing_IsNamed()
    {
        var folder = SanaFixture.Copy();
        File.Delete(Path.Combine(folder.FullName, "text_encoder", "model-00002-of-00003.safetensors"));

        var error = Assert.Throws<DtiException>(() => ModelFamilies.BuiltIn.Read(folder.FullName));

        Assert.Contains("model-00002-of-00003.safetensors", error.Message, StringComparison.Ordinal);
        Assert.True(ModelFolder.IsModelFolder(folder.FullName));
        folder.Delete(recursive: true);
    }

    [Fact]
    public void Resolve_TextualInversion_DecaysNoWeight()
    {
        double Decay(ModelProfile profile) =>
            TrainingSettings
                .Resolve(
                    new TrainingOptions { Method = TrainingMethod.TextualInversion, Initializer = "dog" },
                    "dog",
                    profile,
                    () => 1
                )
                .WeightDecay;

        Assert.Equal(0, Decay(models.Model.Profile));
        Assert.Equal(0.01, Decay(ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, "tiny-sd15"))));
    }
}
