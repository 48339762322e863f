using System.Text.Json;
using Dti.Engine.Concepts;
using Dti.Engine.Models.Families.Sana;
using Dti.Engine.Runtime.Devices;
using Dti.Engine.Training;
using Dti.Engine.Training.Methods;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Families.Sana;

/// <summary>
/// Twelve optimiser steps of each recorded run, against the reference implementation: loss, gradient, directions.
/// </summary>
public class SanaTrainingTests(SanaFixture models) : IClassFixture<SanaFixture>
{
    private const string Dti = "training_dti";
    private const string Ti = "training_ti";

    public static TheoryData<string, string> Runs()
    {
        var data = new TheoryData<string, string>();
        foreach (var file in new[] { Dti, Ti })
        {
            using var json = SanaFixture.Json(file + ".json");
            foreach (var variant in json.RootElement.GetProperty("variants").EnumerateObject())
            {
                data.Add(file, variant.Name);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Steps_RecordedRun_FollowTheReference(string file, string variant)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected(file + ".safetensors"));
        using var inputs = new Golden(SanaFixture.Expected(Dti + ".safetensors"));
        using var json = SanaFixture.Json(file + ".json");
        var settings = json.RootElement.GetProperty("variants").GetProperty(variant);
        double Number(string key) => settings.GetProperty(key).GetDouble();
        Tensor Run(string name) => golden[$"{variant}/{name}"];
        var ids = settings.TryGetProperty("input_ids", out var own) ? own.GetString()! : $"{variant}/input_ids";
        var zeroPads = settings.TryGetProperty("zero_pad", out var padded) && padded.GetBoolean() ? 1 : 0;
        var parts = (int)Number("gradient_accumulation_steps");

        var model = Model(settings);
        using TrainableEmbedding embedding =
            file == Dti
                ? new DirectionalEmbedding(Run("init_embeds"), Run("scale")[0, 0].item<float>())
                : new FreeEmbedding(Run("v0"));
        using IEmbeddingOptimizer optimizer =
            file == Dti
                ? new SphericalSgd(
                    embedding.Parameter,
                    Number("lr"),
                    Number("beta"),
                    new VonMisesFisherPrior(embedding.Initial, Number("kappa"))
                )
                : new AdamW(embedding.Parameter, Number("lr"), Number("weight_decay"));
        Tensor Rows() => zeroPads == 0 ? embedding.Rows() : cat([embedding.Rows(), zeros(zeroPads, 40)]);
        var objective = new DenoisingLoss(model);
        if (file == Dti)
        {
            golden.AssertClose($"{variant}/v0", embedding.Parameter);
            golden.AssertClose($"{variant}/mu", embedding.Initial);
        }

        var (lossTolerance, gradTolerance, vTolerance) = (Tolerance("loss"), Tolerance("grad"), Tolerance("v"));
        for (var step = 0; step < Run("grad").shape[0]; step++)
        {
            using var each = NewDisposeScope();
            var sum = zeros_like(embedding.Parameter).detach();
            for (var part = 0; part < parts; part++)
            {
                var row = (step * parts) + part;
                Tensor Common(string name) => inputs[$"common/{name}"][row];
                var batch = new TrainingBatch(
                    Common("latents"),
                    Common("noise"),
                    Common("timesteps"),
                    [golden[ids][row]]
                );
                if (row == 0 && file == Dti)
                {
                    golden.AssertClose($"{variant}/model_pred_0", objective.Forward(batch, [Rows()]).Prediction);
                }

                var (loss, gradients) =
                    zeroPads == 0
                        ? objective.Evaluate(batch, [embedding])
                        : Evaluated(objective.Forward(batch, [Rows()]).Loss, embedding);
                AssertWithin(Run("loss")[row], loss, lossTolerance, $"loss of micro-batch {row}");
                sum = sum + gradients[0];
            }

            var gradient = sum / parts;
            optimizer.Step(gradient);
            AssertWithin(Run("grad")[step], gradient, gradTolerance, $"gradient of step {step}");
            AssertWithin(Run("v")[step], embedding.Parameter, vTolerance, $"v after step {step}");
        }

        if (file == Dti)
        {
            var vectors = embedding.ToVectors();
            using var learned = stack(Enumerable.Range(0, vectors.Count).Select(i => tensor(vectors.Embedding(i))));
            AssertWithin(Run("learned_embeds"), learned, vTolerance, "learned embeddings");
        }

        // of a run whose distance from fp64 was not recorded: that of the others, at most
        double Tolerance(string what)
        {
            var distances = json.RootElement.GetProperty("fp32_minus_fp64_max_abs");
            var distance = distances.TryGetProperty(variant, out var recorded)
                ? recorded.GetProperty(what).GetDouble()
                : distances.EnumerateObject().Max(other => other.Value.GetProperty(what).GetDouble());
            return Math.Max(golden.Tolerance($"{variant}/{what}"), 20 * distance);
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Captions_RecordedRun_GiveTheSameIdsAsFilledOnTheLeft(string file, string variant)
    {
        using var golden = new Golden(SanaFixture.Expected(file + ".safetensors"));
        using var json = SanaFixture.Json(file + ".json");
        var settings = json.RootElement.GetProperty("variants").GetProperty(variant);
        var profile = models.Model.Profile;
        var placeholders = profile.Encoders[0].NewPlaceholders();
        placeholders.Add(
            settings.GetProperty("placeholder").GetString()!,
            settings.GetProperty("num_vectors").GetInt32()
        );
        placeholders.Add("<zero-pad>", 1);
        var tokenizer =
            settings.GetProperty("complex_human_instruction").ValueKind == JsonValueKind.Null
                ? profile.Tokenizer
                : profile.Tokenizer.WithInstruction;
        var recorded = golden[
            settings.TryGetProperty("input_ids", out var own) ? own.GetString()! : $"{variant}/input_ids"
        ];
        var captions = settings
            .GetProperty("captions")
            .EnumerateArray()
            .SelectMany(step => step.EnumerateArray().Select(caption => caption.GetString()!));
        foreach (var (caption, row) in captions.Zip(recorded.view(-1, recorded.shape[^1]).unbind()))
        {
            var expected = row.data<long>().ToArray().Select(id => (int)id).SkipWhile(id => id == 0);
            Assert.Equal(
                expected,
                tokenizer.Tokenize([caption], placeholders, out _).InputIds.Reverse().SkipWhile(id => id == 0).Reverse()
            );
        }
    }

    [Fact]
    public void Start_RecordedInitializers_AreTheReferences()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected(Dti + ".safetensors"));
        using var json = SanaFixture.Json(Dti + ".json");
        foreach (var variant in json.RootElement.GetProperty("variants").EnumerateObject())
        {
            var settings = TrainingSettings.Resolve(
                new TrainingOptions { Initializer = variant.Value.GetProperty("initializer").GetString() },
                "toy",
                models.Model.Profile,
                () => 1
            );
            Assert.Equal(variant.Value.GetProperty("num_vectors").GetInt32(), settings.VectorCount);
            Assert.Equal(5e-5, settings.Kappa);
            golden.AssertClose(
                $"{variant.Name}/init_embeds",
                LearningMethod
                    .Of(TrainingMethod.Directional)
                    .Start(models.Model, 0, settings.Initializer, settings.VectorCount)
            );
            var magnitude = variant.Value.GetProperty("token_scale");
            var norms = models.Model.Profile.VocabularyNorms;
            var expected =
                magnitude.ValueKind == JsonValueKind.Number ? magnitude.GetDouble()
                : magnitude.GetString() == "max" ? norms.Max
                : norms.Mean;
            golden.AssertClose($"{variant.Name}/scale", full([settings.VectorCount, 1], expected, ScalarType.Float32));
        }
    }

    [Fact]
    public void Condition_FirstBatch_GivesTheReferencesStates()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected(Dti + ".safetensors"));
        var ids = golden["single_default/input_ids"][0];
        var embedding = new DirectionalEmbedding(
            golden["single_default/init_embeds"],
            golden["single_default/scale"][0, 0].item<float>()
        );

        var found = models.Model.Condition([ids], [embedding.Rows()]);

        var count = found.States.shape[1]; // the reference fills up on the left
        Tensor Valid(Tensor states) => states.narrow(1, states.shape[1] - count, count) * found.Mask!.unsqueeze(-1);
        golden.AssertClose("single_default/prompt_embeds_0", Valid(found.States), Valid);
    }

    [Fact]
    public void Normalize_RecordedPhotos_AreTheReferencesLatents()
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected(Dti + ".safetensors"));
        var pixels = ((golden["common/images_u8"].to(ScalarType.Float64) / 127.5) - 1)
            .to(ScalarType.Float32)
            .permute(0, 3, 1, 2)
            .contiguous();

        var latents = models.Model.Normalize(models.Model.Encode(pixels).Mean);

        golden.AssertClose(
            "common/latents",
            latents.index_select(0, golden["common/image_index"].flatten()).view(24, 2, 8, 4, 4)
        );
        golden.AssertClose("common/sigmas", golden["common/timesteps"] / 1000);
    }

    [Theory]
    [InlineData("one", "dog")]
    [InlineData("two", "white cat")]
    public void Start_CrossInit_IsTheReferences(string name, string initializer)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected("crossinit.safetensors"));
        using var json = SanaFixture.Json("crossinit.json");
        Assert.Equal(
            initializer,
            json.RootElement.GetProperty("cases").GetProperty(name).GetProperty("initializer").GetString()
        );
        Tensor Start(TrainingMethod method) =>
            LearningMethod.Of(method).Start(models.Model, 0, initializer, (int)golden[$"{name}/embeds"].shape[0]);

        golden.AssertClose($"{name}/embeds", Start(TrainingMethod.CrossInit));
        golden.AssertClose($"{name}/static_embeds", Start(TrainingMethod.TextualInversion));
    }

    [Theory]
    [InlineData("toy", "single_default")]
    [InlineData("cat", "multi_beta0p9")]
    public void ConceptFile_OfficialFile_ReadsAndWritesTheSameVectors(string name, string run)
    {
        using var scope = NewDisposeScope();
        var path = SanaFixture.Expected($"learned_embeds-{name}.safetensors");
        using var golden = new Golden(path);
        using var training = new Golden(SanaFixture.Expected(Dti + ".safetensors"));
        var folder = Directory.CreateTempSubdirectory("dti-concept");
        var copy = Path.Combine(folder.FullName, "copy.safetensors");

        ConceptFile.Write(copy, ConceptFile.Read(path), ConceptFileFormat.Diffusers);

        using var written = new Golden(copy);
        golden.AssertClose($"<{name}>", written[$"<{name}>"]);
        training.AssertClose($"{run}/learned_embeds", written[$"<{name}>"]);
        folder.Delete(recursive: true);
    }

    /// <summary>What trades memory or speed for it, as large models need it, and how near the loss then is.</summary>
    public static TheoryData<string, double> Variants() =>
        new()
        {
            { "checkpoints", 1e-4 },
            { "packed", 1e-4 },
            { "packed with checkpoints", 1e-4 },
            { "held in bf16", 0.1 },
            { "bf16", 0.3 },
        };

    [Theory]
    [MemberData(nameof(Variants))]
    public void Evaluate_Variant_HasTheSameGradient(string variant, double tolerance)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(SanaFixture.Expected(Dti + ".safetensors"));
        var target = variant switch
        {
            "held in bf16" => ComputeTarget.HoldingBFloat16,
            "bf16" => new ComputeTarget(CPU, ScalarType.BFloat16),
            _ => models.Model.Target,
        };
        bool Has(string word) => variant.Contains(word, StringComparison.Ordinal);
        Assert.SkipWhen(
            variant != "bf16" && !Has("checkpoints") && !target.CanPackWeights,
            "this libtorch has no oneDNN"
        );
        using var model = SanaModel.Load(
            models.Model.Profile,
            target,
            (Has("checkpoints") ? MemoryPolicy.Low : MemoryPolicy.High) with
            {
                OffloadIdle = false,
                PacksWeights = Has("packed") || Has("held"),
            }
        );
        using var embedding = new DirectionalEmbedding(
            golden["single_default/init_embeds"],
            golden["single_default/scale"][0, 0].item<float>()
        );
        var batch = new TrainingBatch(
            golden["common/latents"][0],
            golden["common/noise"][0],
            golden["common/timesteps"][0],
            [golden["single_default/input_ids"][0]]
        );

        var (loss, gradients) = new DenoisingLoss(model).Evaluate(batch, [embedding]);

        AssertWithin(golden["single_default/loss"][0], loss, tolerance, "loss");
        var expected = golden["single_default/grad"][0];
        var cosine = nn.functional.cosine_similarity(expected, gradients[0], 1, 1e-8).item<float>();
        Assert.True(cosine > (tolerance < 1e-3 ? 0.99999 : 0.95), $"the gradients' cosine is {cosine}");
    }

    [Fact]
    public void Decode_PackedWeights_GivesTheSameImage()
    {
        Assert.SkipUnless(models.Model.Target.CanPackWeights, "this libtorch has no oneDNN");
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var golden = new Golden(SanaFixture.Expected("vae.safetensors"));
        using var model = SanaModel.Load(
            models.Model.Profile,
            models.Model.Target,
            MemoryPolicy.High with
            {
                PacksWeights = true,
            }
        );

        golden.AssertClose("square/decoded", model.Vae.Decode(golden["square/z"]));
        golden.AssertClose("wide/latent", model.Vae.Encode(golden["wide/image"]));
    }

    private SanaModel Model(JsonElement settings) =>
        models.Of(
            settings.GetProperty("transformer").GetString() == "transformer_15"
                ? "transformer_15"
                : settings.GetProperty("attention").GetString()!
        );

    private static (Tensor Loss, IReadOnlyList<Tensor> Gradients) Evaluated(
        Tensor loss,
        TrainableEmbedding embedding
    ) => (loss.detach(), [.. autograd.grad([loss], [embedding.Parameter])]);

    private static void AssertWithin(Tensor expected, Tensor actual, double tolerance, string what)
    {
        using var scope = NewDisposeScope();
        var difference = (expected - actual.detach()).abs().max().item<float>();
        Assert.True(difference <= tolerance, $"{what}: {difference:G3} is above {tolerance:G3}");
    }
}
