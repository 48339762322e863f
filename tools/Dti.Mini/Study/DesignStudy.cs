using System.Collections.Concurrent;
using System.Globalization;
using Dti.Mini.Sheets;
using Dti.Mini.Stages;
using Dti.Mini.Subjects;
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
    private readonly StudyModel _model;
    private readonly DesignConcepts _concepts;
    private readonly DesignReader _reader;

    /// <param name="folder">The work folder.</param>
    public DesignStudy(string folder)
    {
        _folder = Path.Combine(folder, "designs");
        _model = new StudyModel();
        _concepts = new DesignConcepts(folder, _model.Profile);
        _reader = new DesignReader(_model.Tokenizer.VocabularySize);
    }

    /// <summary>The results: a row per condition and design.</summary>
    public static ResultsFile Results { get; } = new("designs.csv");

    private static IReadOnlyList<StudyMethod> Methods { get; } = [StudyMethods.Default, StudyMethods.Inversion];

    private static IReadOnlyList<Sampling> Samplings { get; } =
    [
        .. new[] { 1, 2, 3, 4, 5, 7.5 }.Select(guidance => Sampling.Study with { Guidance = guidance }),
        .. new[] { 8, 16, 25 }.Select(steps => Sampling.Study with { Steps = steps }),
        .. new[] { 12, 25, 50 }.Select(steps => Sampling.Study with { Scheduler = "ddim", Steps = steps }),
    ];

    private static IReadOnlyList<string> Prompts { get; } =
    ["a photo of {concept} in a meadow", "a photo of {concept} on the beach", "a photo of {concept} in the snow"];

    /// <summary>Reads and shows designs under every condition, one design per core.</summary>
    /// <param name="count">How many designs, from the first.</param>
    /// <param name="isTrained">Whether concepts are trained; false: only what they are compared with is read.</param>
    public void Run(int count, bool isTrained = true)
    {
        _concepts.Learn(
            from method in isTrained ? Methods : []
            from index in Enumerable.Range(0, count)
            select (method, index, 1)
        );
        var sheet = new ConcurrentDictionary<int, byte[][]>();
        EachCore.Run(Enumerable.Range(0, count), index => sheet[index] = Compare(index, isTrained));
        var columns = sheet[0].Length;
        ContactSheet.Write(
            Path.Combine(_folder, isTrained ? "designs.webp" : "references.webp"),
            columns,
            [.. Enumerable.Range(0, count).SelectMany(index => sheet[index])]
        );
    }

    /// <summary>
    /// How well designs are generated at several scales of classifier-free guidance and with several schedulers, from
    /// the embedding of the denoiser's training and from a description.
    /// </summary>
    /// <param name="count">How many designs, from the first.</param>
    public void Guidance(int count)
    {
        EachCore.Run(Enumerable.Range(0, count), index =>
        {
            using var frozen = no_grad();
            var design = Design.HeldOut(index);
            var scene = SubjectPhotos.Of(design, index)[0];
            var embedded = _model.Sampler.Encode(Said("a <0>", Prompts).Select(text => (scene, text)), seed: null);
            var described = _model.Sampler.Encode(Said(DesignWords.Describe(design), Prompts));
            foreach (var sampling in Samplings)
            {
                Draw("embedding", embedded, sampling);
                Draw("description", described, sampling);
            }

            void Draw(string name, Tensor states, Sampling sampling) =>
                Keep(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"{name}-{sampling.Scheduler}-{sampling.Guidance}-{sampling.Steps}"
                    ),
                    index,
                    design,
                    () => Generate(states, sampling)
                );
        });
    }

    /// <summary>Two photos, then two images of each condition.</summary>
    private byte[][] Compare(int index, bool isTrained)
    {
        var design = Design.HeldOut(index);
        var scenes = SubjectPhotos.Of(design, index);
        byte[][] photos = [.. scenes.Select(ContactSheet.Draw)];
        var rows = new List<byte[]>(photos.Take(2));
        Keep("photos", index, design, () => photos);
        Keep("reconstruction", index, design, () => Reconstruct(photos));
        foreach (var method in isTrained ? Methods : [])
        {
            var concept = _concepts.Get(method, index, seed: 1);
            Show(
                method.Name,
                prompts => _model.Encode([concept], Said("a " + concept.Placeholder, prompts)),
                concept.Encoders[0].Magnitudes.Average()
            );
        }

        Show("embedding", prompts =>
            _model.Sampler.Encode(Said("a <0>", prompts).Select(text => (scenes[0], text)), seed: null)
        );
        Show("description", prompts => _model.Sampler.Encode(Said(DesignWords.Describe(design), prompts)));
        Show("family", prompts => _model.Sampler.Encode(Said($"a {design.Word}", prompts)));
        return [.. rows];

        void Show(string condition, Func<IReadOnlyList<string>, Tensor> encode, double norm = 0)
        {
            using var scope = NewDisposeScope();
            using var frozen = no_grad();
            var images = Generate(encode(Prompts), Sampling.Study);
            rows.AddRange(images.Take(2));
            Keep(condition, index, design, () => images, norm);
        }
    }

    /// <summary>Images of encoded prompts with the first seed, then with the next.</summary>
    private byte[][] Generate(Tensor states, Sampling sampling) =>
        [.. Enumerable.Range(0, Seeds).SelectMany(seed => _model.Sample(states, sampling, seed))];

    /// <summary>Makes and reads images, unless the results have that condition already.</summary>
    private void Keep(string condition, int index, Design design, Func<byte[][]> images, double norm = 0)
    {
        var name = index.ToString(CultureInfo.InvariantCulture);
        if (Results.Holds(condition, name))
        {
            return;
        }

        var read = _reader.Designs(images());
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
        return _model.Sampler.Decode(_model.Autoencoder.Encode(QualityStage.Stack(images)).Mean);
    }

    private static IEnumerable<string> Said(string words, IReadOnlyList<string> prompts) =>
        prompts.Select(prompt => prompt.Replace("{concept}", words, StringComparison.Ordinal));
}
