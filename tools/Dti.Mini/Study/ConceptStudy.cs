using System.Globalization;
using Dti.Engine.Checkpoints;
using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Imaging;
using Dti.Engine.Models;
using Dti.Engine.Runtime;
using Dti.Engine.Training;
using Dti.Mini.Models;
using Dti.Mini.Sheets;
using Dti.Mini.Stages;
using Dti.Mini.Subjects;
using Dti.Mini.Training;
using Dti.Mini.World;
using Dti.Mini.World.Shapes;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// The paper's claim on this model: the subjects, learnt by each method, in the same complex prompts and noise, judged by an
/// encoder that the generator never saw. Every concept and every row of results is kept, so that a killed run goes on.
/// </summary>
internal sealed class ConceptStudy
{
    private const int Seeds = 4;
    private readonly string _folder;
    private readonly StableDiffusionModel _model;
    private readonly MiniSampler _sampler;
    private readonly JudgeModel _judge;

    public ConceptStudy(string folder)
    {
        _folder = Path.Combine(folder, "study");
        _model = StableDiffusionModel.Load(ModelProfile.Read(MiniWorld.ModelFolder), new ComputeTarget(CPU, ScalarType.BFloat16));
        _sampler = new MiniSampler(_model.TextEncoder, _model.Vae, _model.Tokenizer);
        _judge = new JudgeModel(_model.Tokenizer.VocabularySize, new WeightScope(new FrozenWeights(MiniWorld.JudgeFile)));
    }

    /// <summary>Runs the study and appends a row per subject to <c>study/results.csv</c>.</summary>
    public void Run(IEnumerable<StudyMethod> methods, IEnumerable<Subject> subjects)
    {
        Directory.CreateDirectory(_folder);
        var results = Path.Combine(_folder, "results.csv");
        var done = File.Exists(results) ? File.ReadAllLines(results).Select(line => string.Join(',', line.Split(',').Take(2))).ToHashSet() : [];
        foreach (var method in methods)
        {
            foreach (var subject in subjects.Where(subject => !done.Contains($"{method.Name},{subject.Name}")))
            {
                using var scope = NewDisposeScope();
                var scores = Judge(subject, Concept(method, subject), $"{method.Name}-{subject.Name}");
                var row = string.Join(',', [method.Name, subject.Name, .. scores.Select(score => score.Value.ToString("F4", CultureInfo.InvariantCulture))]);
                File.AppendAllText(results, row + "\n");
                Console.WriteLine($"{string.Join("  ", scores.Select(score => string.Create(CultureInfo.InvariantCulture, $"{score.Key} {score.Value:F3}")))}  {method.Name} {subject.Name}");
            }
        }
    }

    private ConceptEmbedding Concept(StudyMethod method, Subject subject)
    {
        var placeholder = $"<{subject.Name}>";
        var path = Path.Combine(_folder, method.Folder, subject.Name + ".safetensors");
        if (!File.Exists(path))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            var options = method.Options(subject.Initializer, seed: 1);
            var settings = TrainingSettings.Resolve(options, subject.Name, _model.Profile, () => 1);
            Photo[] photos = [.. SubjectPhotos.Of(subject).Select((scene, i) => new Photo($"{i}.png", ImageCodec.Encode(new RgbImage(SceneRenderer.Side, SceneRenderer.Side, ContactSheet.Draw(scene)), ImageFormat.Png)))];
            using var model = StableDiffusionModel.Load(_model.Profile, new ComputeTarget(CPU, ScalarType.Float32));
            var learnt = new Trainer(model, settings, TrainingSet.Load(photos, settings.Resolution, new ImageLimits())).Run(default).OfType<TrainingFinished>().Single();
            ConceptFile.Write(path, learnt.Concept, ConceptFileFormat.Diffusers);
        }

        var concept = ConceptFile.Read(path, placeholder);
        return method.Rescaled ? concept with { Encoders = [Rescale(concept.Encoders[0], (float)_model.Profile.VocabularyNorms.Mean)] } : concept;
    }

    private static DirectionalVectors Rescale(DirectionalVectors vectors, float norm) =>
        new([.. Enumerable.Range(0, vectors.Count).Select(i => vectors.Direction(i).ToArray())], [.. Enumerable.Repeat(norm, vectors.Count)]);

    private Dictionary<string, double> Judge(Subject subject, ConceptEmbedding concept, string sheet)
    {
        using var frozen = no_grad();
        var encoder = new PromptEncoder(_model, [concept]);
        Tensor Encode(IEnumerable<string> texts) => cat([.. texts.Select(text => encoder.Encode(text.Replace("{concept}", concept.Placeholder, StringComparison.Ordinal)))]);
        byte[][] Draw(IEnumerable<string> texts) => [.. Enumerable.Range(0, Seeds).SelectMany(seed => _sampler.Sample(_model.UNet, Encode(texts), guidance: 4, steps: 25, seed))];

        var complex = Draw(StudyPrompts.Complex.Select(prompt => prompt.Text));
        var simple = Draw(StudyPrompts.Simple);
        ContactSheet.Write(Path.Combine(_folder, "sheets", sheet + ".webp"), StudyPrompts.Complex.Count, complex);
        var photos = _judge.Read(Pictures([.. SubjectPhotos.Of(subject).Select(ContactSheet.Draw)])).Embedding;
        var scores = Obedience(_judge.Read(Pictures(complex)));
        scores["text"] = scores.Values.Average();
        scores["likeness"] = Likeness(complex, photos);
        scores["likeness_simple"] = Likeness(simple, photos);
        scores["norm"] = concept.Encoders[0].Magnitudes.Average();
        return scores;
    }

    /// <summary>How often the place, the style and the other object are as asked: means over prompts and seeds.</summary>
    private static Dictionary<string, double> Obedience(Reading reading)
    {
        var scenes = Enumerable.Repeat(StudyPrompts.Complex, Seeds).SelectMany(prompts => prompts).Select(prompt => prompt.Scene).ToArray();
        double Share(Func<Scene, int, bool> holds) => scenes.Select((scene, i) => holds(scene, i) ? 1.0 : 0).Average();
        static int Other(Scene scene) => ShapeCatalogue.IndexOf(scene.Objects[1].Shape);
        return new()
        {
            ["place"] = Share((scene, i) => reading.Place[i].argmax().item<long>() == (int)scene.Place),
            ["style"] = Share((scene, i) => reading.Style[i].argmax().item<long>() == (int)scene.Style),
            ["shape"] = Share((scene, i) => reading.Presence[i, Other(scene)].item<float>() > 0),
            ["colour"] = Share((scene, i) => reading.Presence[i, Other(scene)].item<float>() > 0 && reading.Colour[i, Other(scene)].argmax().item<long>() == ObjectColour.IndexOf(scene.Objects[1].Colour)),
            ["pattern"] = Share((scene, i) => reading.Presence[i, Other(scene)].item<float>() > 0 && reading.Pattern[i, Other(scene)].argmax().item<long>() == (int)scene.Objects[1].Pattern),
        };
    }

    private double Likeness(byte[][] pictures, Tensor photos) => _judge.Read(Pictures(pictures)).Embedding.matmul(photos.t()).mean().item<float>();

    private static Tensor Pictures(IReadOnlyList<byte[]> pictures) => QualityStage.Stack(pictures);
}
