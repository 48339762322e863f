using System.Text.Json;
using Dti.Engine.Concepts;
using Dti.Engine.Tests.Models;
using Dti.Engine.Tokenization;
using Dti.Engine.Training;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Training;

/// <summary>Twelve optimiser steps of each recorded run, against the reference implementation: loss, gradient, directions.</summary>
public class TrainingParityTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    public static TheoryData<string, string> Runs() => Variants("training_dti.json");

    public static TheoryData<string, string, string> BaselineRuns()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var baseline in new[] { "training_ti", "training_renorm" })
        {
            foreach (var (family, variant) in Variants(baseline + ".json").Select(row => row.Data))
            {
                data.Add(family, variant, baseline);
            }
        }

        return data;
    }

    private static TheoryData<string, string> Variants(string file)
    {
        var data = new TheoryData<string, string>();
        // Not every family was recorded with every baseline.
        foreach (string family in ModelFixture.Families().Select(row => row.Data).Where(family => File.Exists(ModelFixture.Expected(family, file))))
        {
            using var json = Json(family, file);
            foreach (var variant in json.RootElement.GetProperty("variants").EnumerateObject())
            {
                data.Add(family, variant.Name);
            }
        }

        return data;
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Steps_RecordedRun_FollowTheReference(string family, string variant)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(ModelFixture.Expected(family, "training_dti.safetensors"));
        using var json = Json(family);
        var settings = json.RootElement.GetProperty("variants").GetProperty(variant);
        var conditioning = json.RootElement.GetProperty("fp32_minus_fp64_max_abs");
        Tensor Run(string name) => golden[$"{variant}/{name}"];
        Tensor Common(string name) => golden[$"common/{name}"];

        var model = models.Model(family);
        using var embedding = new DirectionalEmbedding(Run("init_embeds"), Run("scale")[0, 0].item<float>());
        using var optimizer = new SphericalSgd(
            embedding.Directions, settings.GetProperty("lr").GetDouble(), settings.GetProperty("beta").GetDouble(),
            new VonMisesFisherPrior(embedding.Initial, settings.GetProperty("kappa").GetDouble()));
        var objective = new DenoisingLoss(model);
        Golden.AssertClose(Run("v0"), embedding.Directions, 1e-6, "v0");
        Golden.AssertClose(Run("mu"), embedding.Initial, 1e-6, "mu");

        var (gradTolerance, vTolerance) = (Tolerance("grad"), Tolerance("v"));
        for (var step = 0; step < Run("loss").shape[0]; step++)
        {
            using var each = NewDisposeScope();
            var batch = new TrainingBatch(Common("latents")[step], Common("noise")[step], Common("timesteps")[step], Run("input_ids")[step]);
            if (step == 0)
            {
                Golden.AssertClose(Run("model_pred_0"), objective.Forward(batch, embedding.Rows()).Prediction, 1e-4, "first prediction");
            }

            var (loss, gradient) = objective.Evaluate(batch, embedding);
            optimizer.Step(gradient);

            Assert.Equal(Run("loss")[step].item<float>(), loss.item<float>(), 1e-4);
            AssertWithin(Run("grad")[step], gradient, gradTolerance, $"gradient of step {step}");
            AssertWithin(Run("v")[step], embedding.Directions, vTolerance, $"v after step {step}");
        }

        using var learned = tensor(Enumerable.Range(0, (int)Run("v0").shape[0]).SelectMany(embedding.ToVectors().Embedding).ToArray(), Run("v0").shape);
        AssertWithin(Run("learned_embeds"), learned, vTolerance, "learned embeddings");

        double Tolerance(string what) =>
            Math.Max(1e-4, conditioning.TryGetProperty(variant, out var own) ? 20 * own.GetProperty(what).GetDouble() : 0);
    }

    [Theory]
    [MemberData(nameof(BaselineRuns))]
    public void Steps_RecordedBaseline_FollowTheReference(string family, string variant, string baseline)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(ModelFixture.Expected(family, baseline + ".safetensors"));
        using var inputs = new Golden(ModelFixture.Expected(family, "training_dti.safetensors"));
        using var json = Json(family, baseline + ".json");
        Tensor Run(string name) => golden[$"{variant}/{name}"];
        Tensor Common(string name) => inputs[$"common/{name}"];

        var renormalized = baseline == "training_renorm";
        using var embedding = new FreeEmbedding(Run("v0"));
        using var optimizer = new AdamW(
            embedding.Parameter, learningRate: 5e-3, weightDecay: renormalized ? 0 : 1e-2,
            renormalized ? Run("vocabulary_mean_norm").item<float>() : null);
        var objective = new DenoisingLoss(models.Model(family));
        for (var step = 0; step < Run("loss").shape[0]; step++)
        {
            using var each = NewDisposeScope();
            var batch = new TrainingBatch(Common("latents")[step], Common("noise")[step], Common("timesteps")[step], Run("input_ids")[step]);
            var (loss, gradient) = objective.Evaluate(batch, embedding);
            optimizer.Step(gradient);

            Assert.Equal(Run("loss")[step].item<float>(), loss.item<float>(), 1e-4);
            AssertWithin(Run("grad")[step], gradient, 1e-4, $"gradient of step {step}");
            AssertWithin(Run("v")[step], embedding.Parameter, 1e-4, $"e after step {step}");
        }
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Captions_RecordedRun_GiveTheSameIds(string family, string variant)
    {
        using var golden = new Golden(ModelFixture.Expected(family, "training_dti.safetensors"));
        using var json = Json(family);
        var settings = json.RootElement.GetProperty("variants").GetProperty(variant);
        var tokenizer = models.Model(family).Tokenizer;
        var (placeholder, count) = (settings.GetProperty("placeholder").GetString()!, settings.GetProperty("num_vectors").GetInt32());
        var placeholders = new PlaceholderTokens(tokenizer.VocabularySize);
        placeholders.Add(placeholder, count);

        var expected = golden[$"{variant}/input_ids"].view(-1, tokenizer.ModelMaxLength);
        var templates = golden["common/template_index"].view(-1);
        for (var i = 0; i < expected.shape[0]; i++)
        {
            var caption = PromptTemplates.Fill(PromptTemplates.Objects[(int)templates[i].item<long>()], PlaceholderTokens.Identifier(placeholder, count));
            Assert.Equal(expected[i].data<long>().ToArray().Select(id => (int)id), tokenizer.Tokenize(caption, placeholders).InputIds);
        }
    }

    [Theory]
    [MemberData(nameof(ModelFixture.Families), MemberType = typeof(ModelFixture))]
    public void Latents_RecordedPhotos_MatchTheReference(string family)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(ModelFixture.Expected(family, "training_dti.safetensors"));
        var vae = models.Model(family).Vae;
        var pixels = ((golden["common/images_u8"].to(ScalarType.Float64) / 127.5) - 1).to(ScalarType.Float32).permute(0, 3, 1, 2).contiguous();

        var latents = vae.Encode(pixels.index_select(0, golden["common/image_index"][0])).Sample(golden["common/posterior_eps"][0]) * vae.Config.ScalingFactor;

        Golden.AssertClose(golden["common/latents"][0], latents, 1e-4, "latents");
    }

    [Theory]
    [MemberData(nameof(ModelFixture.Families), MemberType = typeof(ModelFixture))]
    public void ConceptFile_OfficialFiles_ReadAndWriteTheSameVectors(string family)
    {
        using var scope = NewDisposeScope();
        foreach (var (name, official) in new[] { ("toy", "learned_embeds-toy"), ("cat", "learned_embeds-cat"), ("cat", "webui-cat") })
        {
            using var golden = new Golden(ModelFixture.Expected(family, official + ".safetensors"));
            var concept = ConceptFile.Read(ModelFixture.Expected(family, official + ".safetensors"), $"<{name}>");
            var folder = Directory.CreateTempSubdirectory("dti-concept");
            var copy = Path.Combine(folder.FullName, official + ".safetensors");

            ConceptFile.Write(copy, concept, official.StartsWith("webui", StringComparison.Ordinal) ? ConceptFileFormat.WebUi : ConceptFileFormat.Diffusers);

            using var written = new Golden(copy);
            Assert.Equal(golden.Names, written.Names);
            Golden.AssertClose(golden[golden.Names.Single()], written[written.Names.Single()], 1e-6, official);
            folder.Delete(recursive: true);
        }
    }

    private static JsonDocument Json(string family, string file = "training_dti.json") =>
        JsonDocument.Parse(File.ReadAllText(ModelFixture.Expected(family, file)));

    private static void AssertWithin(Tensor expected, Tensor actual, double tolerance, string what)
    {
        using var scope = NewDisposeScope();
        var difference = (expected - actual.detach()).abs().max().item<float>();
        Assert.True(difference <= tolerance, $"{what}: {difference:G3} is above {tolerance:G3}");
    }
}
