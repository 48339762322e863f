using System.Text.Json;
using Dti.Engine.Concepts;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Tests.Models;
using Dti.Engine.Tokenization;
using Dti.Engine.Training;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Training;

/// <summary>
/// Twelve optimiser steps of each recorded run, against the reference implementation: loss, gradient, directions.
/// </summary>
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
        foreach (
            string family in ModelFixture
                .AllFamilies()
                .Select(row => row.Data)
                .Where(family => File.Exists(ModelFixture.Expected(family, file)))
        )
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

        var model = models.Model(family);
        string[] suffixes = Suffixes(model);
        var embeddings = suffixes
            .Select(suffix => new DirectionalEmbedding(
                Run("init_embeds" + suffix),
                Run("scale" + suffix)[0, 0].item<float>()
            ))
            .ToArray();
        var optimizers = embeddings
            .Select(embedding => new SphericalSgd(
                embedding.Directions,
                settings.GetProperty("lr").GetDouble(),
                settings.GetProperty("beta").GetDouble(),
                new VonMisesFisherPrior(embedding.Initial, settings.GetProperty("kappa").GetDouble())
            ))
            .ToArray();
        var objective = new DenoisingLoss(model);
        foreach (var (embedding, suffix) in embeddings.Zip(suffixes))
        {
            golden.AssertClose($"{variant}/v0{suffix}", embedding.Directions);
            golden.AssertClose($"{variant}/mu{suffix}", embedding.Initial);
        }

        var (gradTolerance, vTolerance) = (Tolerance("grad"), Tolerance("v"));
        for (var step = 0; step < Run("loss").shape[0]; step++)
        {
            using var each = NewDisposeScope();
            var batch = Batch(inputs: golden, golden, variant, step, suffixes);
            if (step == 0)
            {
                golden.AssertClose(
                    $"{variant}/model_pred_0",
                    objective.Forward(batch, [.. embeddings.Select(embedding => embedding.Rows())]).Prediction
                );
            }

            var (loss, gradients) = objective.Evaluate(batch, embeddings);
            Assert.Equal(Run("loss")[step].item<float>(), loss.item<float>(), golden.Tolerance($"{variant}/loss"));
            for (var i = 0; i < suffixes.Length; i++)
            {
                optimizers[i].Step(gradients[i]);
                AssertWithin(Run("grad" + suffixes[i])[step], gradients[i], gradTolerance, $"gradient of step {step}");
                AssertWithin(
                    Run("v" + suffixes[i])[step],
                    embeddings[i].Directions,
                    vTolerance,
                    $"v after step {step}"
                );
            }
        }

        foreach (var (embedding, suffix) in embeddings.Zip(suffixes))
        {
            using var learned = tensor(
                Enumerable
                    .Range(0, (int)Run("v0" + suffix).shape[0])
                    .SelectMany(embedding.ToVectors().Embedding)
                    .ToArray(),
                Run("v0" + suffix).shape
            );
            AssertWithin(Run("learned_embeds" + suffix), learned, vTolerance, "learned embeddings");
        }

        Array.ForEach(optimizers, optimizer => optimizer.Dispose());
        Array.ForEach(embeddings, embedding => embedding.Dispose());

        double Tolerance(string what) =>
            Math.Max(
                golden.Tolerance($"{variant}/{what}"),
                conditioning.TryGetProperty(variant, out var own) ? 20 * own.GetProperty(what).GetDouble() : 0
            );
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

        var model = models.Model(family);
        var renormalized = baseline == "training_renorm";
        string[] suffixes = Suffixes(model);
        var embeddings = suffixes.Select(suffix => new FreeEmbedding(Run("v0" + suffix))).ToArray();
        var optimizers = embeddings
            .Zip(suffixes, (embedding, suffix) =>
                new AdamW(
                    embedding.Parameter,
                    learningRate: 5e-3,
                    weightDecay: renormalized ? 0 : 1e-2,
                    renormalized ? new Renormalization(Run("vocabulary_mean_norm" + suffix).item<float>()) : null
                )
            )
            .ToArray();
        var objective = new DenoisingLoss(model);
        for (var step = 0; step < Run("loss").shape[0]; step++)
        {
            using var each = NewDisposeScope();
            var (loss, gradients) = objective.Evaluate(Batch(inputs, golden, variant, step, suffixes), embeddings);
            Assert.Equal(Run("loss")[step].item<float>(), loss.item<float>(), golden.Tolerance($"{variant}/loss"));
            for (var i = 0; i < suffixes.Length; i++)
            {
                optimizers[i].Step(gradients[i]);
                AssertWithin(
                    Run("grad" + suffixes[i])[step],
                    gradients[i],
                    golden.Tolerance($"{variant}/grad{suffixes[i]}"),
                    $"gradient of step {step}"
                );
                AssertWithin(
                    Run("v" + suffixes[i])[step],
                    embeddings[i].Parameter,
                    golden.Tolerance($"{variant}/v{suffixes[i]}"),
                    $"e after step {step}"
                );
            }
        }

        Array.ForEach(optimizers, optimizer => optimizer.Dispose());
        Array.ForEach(embeddings, embedding => embedding.Dispose());
    }

    /// <summary>How the recorded names of each text encoder end.</summary>
    private static string[] Suffixes(StableDiffusionModel model) =>
        [.. model.Profile.Encoders.Select((_, i) => i == 0 ? "" : $"_{i + 1}")];

    private static TrainingBatch Batch(Golden inputs, Golden run, string variant, int step, string[] suffixes)
    {
        Tensor Common(string name) => inputs[$"common/{name}"][step];
        return new TrainingBatch(
            Common("latents"),
            Common("noise"),
            Common("timesteps"),
            [.. suffixes.Select(suffix => run[$"{variant}/input_ids{suffix}"][step])],
            suffixes.Length > 1 ? run[$"{variant}/time_ids"][step] : null
        );
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Captions_RecordedRun_GiveTheSameIds(string family, string variant)
    {
        using var golden = new Golden(ModelFixture.Expected(family, "training_dti.safetensors"));
        using var json = Json(family);
        var settings = json.RootElement.GetProperty("variants").GetProperty(variant);
        foreach (var (i, encoder) in models.Model(family).Profile.Encoders.Index())
        {
            CaptionsGiveTheSameIds(
                golden,
                settings,
                encoder.Tokenizer,
                golden[$"{variant}/input_ids{(i == 0 ? "" : $"_{i + 1}")}"]
            );
        }
    }

    private static void CaptionsGiveTheSameIds(
        Golden golden,
        JsonElement settings,
        ITokenizer tokenizer,
        Tensor recorded
    )
    {
        var (placeholder, count) = (
            settings.GetProperty("placeholder").GetString()!,
            settings.GetProperty("num_vectors").GetInt32()
        );
        var placeholders = new PlaceholderTokens(tokenizer.VocabularySize);
        placeholders.Add(placeholder, count);

        var expected = recorded.view(-1, tokenizer.ModelMaxLength);
        var templates = golden["common/template_index"].view(-1);
        for (var i = 0; i < expected.shape[0]; i++)
        {
            var caption = PromptTemplates.Fill(
                PromptTemplates.Objects[(int)templates[i].item<long>()],
                PlaceholderTokens.Identifier(placeholder, count)
            );
            Assert.Equal(
                expected[i].data<long>().ToArray().Select(id => (int)id),
                tokenizer.Tokenize(caption, placeholders).InputIds
            );
        }
    }

    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void Latents_RecordedPhotos_MatchTheReference(string family)
    {
        using var scope = NewDisposeScope();
        using var golden = new Golden(ModelFixture.Expected(family, "training_dti.safetensors"));
        var vae = models.Model(family).Vae;
        var pixels = ((golden["common/images_u8"].to(ScalarType.Float64) / 127.5) - 1)
            .to(ScalarType.Float32)
            .permute(0, 3, 1, 2)
            .contiguous();

        var latents =
            vae.Encode(pixels.index_select(0, golden["common/image_index"][0]))
                .Sample(golden["common/posterior_eps"][0]) * vae.Config.ScalingFactor;

        golden.AssertClose("common/latents", latents, recorded => recorded[0]);
    }

    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void ConceptFile_OfficialFiles_ReadAndWriteTheSameVectors(string family)
    {
        using var scope = NewDisposeScope();
        string[] officials =
        [
            "learned_embeds-toy",
            "learned_embeds-cat",
            "learned_embeds_2-toy",
            "learned_embeds_2-cat",
            "webui-toy",
            "webui-cat",
        ];
        foreach (
            var official in officials.Where(official =>
                File.Exists(ModelFixture.Expected(family, official + ".safetensors"))
            )
        )
        {
            using var golden = new Golden(ModelFixture.Expected(family, official + ".safetensors"));
            var concept = ConceptFile.Read(
                ModelFixture.Expected(family, official + ".safetensors"),
                $"<{official.Split('-')[1]}>"
            );
            var folder = Directory.CreateTempSubdirectory("dti-concept");
            var copy = Path.Combine(folder.FullName, official + ".safetensors");

            ConceptFile.Write(
                copy,
                concept,
                official.StartsWith("webui", StringComparison.Ordinal)
                    ? ConceptFileFormat.WebUi
                    : ConceptFileFormat.Diffusers
            );

            using var written = new Golden(copy);
            Assert.Equal(golden.Names, written.Names);
            Assert.All(golden.Names, name => golden.AssertClose(name, written[name]));
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
