using System.Collections.Concurrent;
using System.Globalization;
using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Training;
using Dti.Mini.Sheets;
using Dti.Mini.Stages;
using Dti.Mini.Subjects;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// Whether new concepts are learnt: held-out designs, learnt from five photos by each method, compared with the
/// family's word (the floor), with a description in words, and with the embedding that the denoiser's training would
/// have used (the ceilings). A killed run continues: concepts and rows of results are kept.
/// </summary>
internal sealed class DesignStudy
{
    private const int Seeds = 2;

    private readonly string _folder;
    private readonly StableDiffusionModel _model;
    private readonly MiniSampler _sampler;
    private readonly DesignConcepts _concepts;
    private readonly DesignReader? _reader;

    /// <param name="folder">The work folder.</param>
    public DesignStudy(string folder)
    {
        _folder = Path.Combine(folder, "designs");
        var profile = (StableDiffusionProfile)ModelFamilies.BuiltIn.Read(MiniWorld.ModelFolder);
        _model = StudyTraining.LoadForImages(profile);
        _sampler = new MiniSampler(
            _model.TextEncoder,
            _model.Vae,
            _model.Tokenizer,
            WordsStage.Embedder(profile.TextConfig.HiddenSize)
        );
        _concepts = new DesignConcepts(_folder, profile);
        _reader =
            File.Exists(MiniWorld.JudgeFile) && File.Exists(MiniWorld.DesignJudgeFile)
                ? new DesignReader(_model.Tokenizer.VocabularySize)
                : null;
    }

    /// <summary>The results: a row per condition and design.</summary>
    public static ResultsFile Results { get; } = new("designs.csv");

    /// <summary>
    /// The methods at the effective rates of the official launchers, and DTI whose learning rate falls to 0.
    /// </summary>
    private static IReadOnlyList<StudyMethod> Methods { get; } =
    [
        new("dti", TrainingMethod.Directional, 0.04, 300),
        .. new[] { 0.04, 0.08, 0.16 }.Select(rate => new StudyMethod(
            string.Create(CultureInfo.InvariantCulture, $"dti-cosine-{rate}"),
            TrainingMethod.Directional,
            rate,
            200,
            Schedule: LearningRateSchedule.Cosine
        )),
        new("ti", TrainingMethod.TextualInversion, 0.02, 300),
    ];

    private static IReadOnlyList<string> Prompts { get; } =
    ["a photo of {concept} in a meadow", "a photo of {concept} on the beach", "a photo of {concept} in the snow"];

    /// <summary>Reads and shows designs under every condition, one design per core.</summary>
    /// <param name="count">How many designs, from the first.</param>
    /// <param name="isTrained">Whether concepts are trained; false: only what they are compared with is read.</param>
    public void Run(int count, bool isTrained = true)
    {
        var sheet = new ConcurrentDictionary<int, byte[][]>();
        var work = Partitioner.Create(Enumerable.Range(0, count), EnumerablePartitionerOptions.NoBuffering);
        Parallel.ForEach(work, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount }, index =>
        {
            set_num_threads(1);
            using var scope = NewDisposeScope();
            sheet[index] = Compare(index, isTrained);
        });
        var columns = sheet[0].Length;
        ContactSheet.Write(
            Path.Combine(_folder, isTrained ? "designs.webp" : "references.webp"),
            columns,
            [.. Enumerable.Range(0, count).SelectMany(index => sheet[index])]
        );
    }

    /// <summary>Two photos, then two images of each condition.</summary>
    private byte[][] Compare(int index, bool isTrained)
    {
        var design = Design.HeldOut(index);
        var scenes = SubjectPhotos.Of(design, index);
        var family = DesignConcepts.InitialWord(design);
        byte[][] photos = [.. scenes.Select(ContactSheet.Draw)];
        var rows = new List<byte[]>(photos.Take(2));
        Keep("photos", index, design, photos);
        Keep("reconstruction", index, design, Reconstruct(photos));
        foreach (var method in isTrained ? Methods : [])
        {
            var concept = _concepts.Get(method, index, seed: 1);
            Show(method.Name, prompts => States(concept, prompts), concept.Encoders[0].Magnitudes.Average());
        }

        Show("embedding", prompts =>
            _sampler.Encode(Said("a <0>", prompts).Select(text => (scenes[0], text)), seed: null)
        );
        Show("description", prompts => _sampler.Encode(Said(DesignWords.Describe(design), prompts)));
        Show("family", prompts => _sampler.Encode(Said($"a {family}", prompts)));
        return [.. rows];

        void Show(string condition, Func<IReadOnlyList<string>, Tensor> encode, double norm = 0)
        {
            using var scope = NewDisposeScope();
            using var frozen = no_grad();
            var states = encode(Prompts);
            byte[][] images =
            [
                .. Enumerable
                    .Range(0, Seeds)
                    .SelectMany(seed => _sampler.Sample(_model.UNet, states, guidance: 4, steps: 25, seed)),
            ];
            rows.AddRange(images.Take(2));
            Keep(condition, index, design, images, norm);
        }
    }

    /// <summary>Reads images, unless the results have that condition already.</summary>
    private void Keep(string condition, int index, Design design, IReadOnlyList<byte[]> images, double norm = 0)
    {
        var name = index.ToString(CultureInfo.InvariantCulture);
        if (_reader is null || Results.Holds(condition, name))
        {
            return;
        }

        var read = _reader.Designs(images);
        Results.Add(
            condition,
            name,
            new Dictionary<string, double>
            {
                ["parts"] = read.Average(image => image.PartsRight(design)),
                ["family"] = read.Average(image => image.Parts[0] == (int)design.Family ? 1.0 : 0),
                ["colour_error"] = read.Average(image => image.ColourError(design)),
                ["proportion_error"] = read.Average(image => image.ProportionError(design)),
                ["norm"] = norm,
            }
        );
    }

    /// <summary>What the autoencoder leaves of images.</summary>
    private byte[][] Reconstruct(byte[][] images)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        return _sampler.Decode(_model.Vae.Encode(QualityStage.Stack(images)).Mean);
    }

    private static IEnumerable<string> Said(string words, IReadOnlyList<string> prompts) =>
        prompts.Select(prompt => prompt.Replace("{concept}", words, StringComparison.Ordinal));

    private Tensor States(ConceptEmbedding concept, IReadOnlyList<string> prompts)
    {
        var encoder = new PromptEncoder(_model, [concept]);
        return cat([.. Said("a " + concept.Placeholder, prompts).Select(prompt => encoder.Encode(prompt).States)]);
    }
}
