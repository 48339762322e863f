using System.Collections.Concurrent;
using Dti.Engine.Concepts;
using Dti.Engine.Generation;
using Dti.Engine.Imaging;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Training;
using Dti.Mini.Sheets;
using Dti.Mini.World;
using Dti.Mini.World.Shapes;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// Candidates for the demo: subjects within the model's domain, learnt by DTI and TI from five images that the model
/// itself generated, and for comparison asked for in words.
/// </summary>
internal sealed class DemoStudy
{
    private const int Seeds = 4;
    private const int Vectors = 3;

    private readonly string _folder;
    private readonly ModelProfile _profile;
    private readonly DemoReader _reader;

    /// <param name="folder">The work folder.</param>
    public DemoStudy(string folder)
    {
        _folder = Path.Combine(folder, "demo");
        _profile = ModelFamilies.BuiltIn.Read(MiniWorld.ModelFolder);
        _reader = new DemoReader(_profile.Tokenizer.VocabularySize);
    }

    /// <summary>The results: a row per method with its number of steps, and subject.</summary>
    public static ResultsFile Results { get; } = new("demo.csv");

    /// <summary>Each asks for a place, a style and another object with its colour.</summary>
    private static IReadOnlyList<StudyPrompt> Prompts { get; } =
    [
        Prompt(
            "a photo of {concept} in front of a striped blue house in the snow",
            Outdoors.House,
            "blue",
            Place.Snow,
            Style.Photo
        ),
        Prompt(
            "a photo of {concept} to the left of a spotted red mushroom in a forest",
            Outdoors.Mushroom,
            "red",
            Place.Forest,
            Style.Photo
        ),
        Prompt(
            "pixel art of {concept} to the right of a green tree in a meadow",
            Outdoors.Tree,
            "green",
            Place.Meadow,
            Style.Pixel
        ),
    ];

    private static IReadOnlyList<(Place Place, string Text)> PhotoPlaces { get; } =
    [
        (Place.Meadow, "in a meadow"),
        (Place.Kitchen, "in a kitchen"),
        (Place.Beach, "on the beach"),
        (Place.Desert, "in the desert"),
        (Place.City, "in the city"),
    ];

    // The effective rates and the κ of the official launchers; null: asked for in words.
    private static IReadOnlyList<(string Name, TrainingOptions? Options)> Methods { get; } =
    [
        ("words", null),
        (
            "dti",
            new()
            {
                Method = TrainingMethod.Directional,
                LearningRate = 0.04,
                Kappa = 1e-4,
            }
        ),
        ("ti", new() { Method = TrainingMethod.TextualInversion, LearningRate = 0.02 }),
    ];

    /// <summary>Writes the subjects' photos into <c>samples</c> where they are not there yet.</summary>
    public void WritePhotos(IEnumerable<DemoSubject> subjects)
    {
        using var model = StudyTraining.Load(_profile);
        foreach (var subject in subjects.Where(subject => !Directory.Exists(PhotoFolder(subject))))
        {
            Directory.CreateDirectory(PhotoFolder(subject));
            foreach (var (i, (place, text)) in PhotoPlaces.Index())
            {
                var photo = Enumerable
                    .Range(1, 20)
                    .Select(seed => Photo(model, subject, text, seed))
                    .First(image => _reader.Shows(image, subject, place));
                File.WriteAllBytes(
                    Path.Combine(PhotoFolder(subject), $"{i + 1}.jpg"),
                    ImageCodec.Encode(photo, ImageFormat.Jpeg, quality: 93)
                );
            }
        }
    }

    /// <summary>Measures what is not in the results yet, one run on each core.</summary>
    /// <param name="subjects">The subjects; their photos are in <c>samples</c>.</param>
    /// <param name="steps">Numbers of steps after which concepts are measured.</param>
    public void Run(IReadOnlyList<DemoSubject> subjects, IReadOnlyList<int> steps)
    {
        var work = subjects.SelectMany(subject => Methods.Select(method => (subject, method.Name, method.Options)));
        Parallel.ForEach(
            Partitioner.Create(work, EnumerablePartitionerOptions.NoBuffering),
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            unit =>
            {
                set_num_threads(1);
                using var scope = NewDisposeScope();
                using var model = StudyTraining.Load(_profile);
                if (unit.Options is null)
                {
                    Measure(model, unit.subject, null, unit.Name);
                }
                else if (steps.Any(count => !Results.Holds(Named(unit.Name, count), unit.subject.Name)))
                {
                    foreach (var (count, concept) in Learn(model, unit.subject, unit.Options, steps))
                    {
                        Measure(model, unit.subject, concept, Named(unit.Name, count));
                    }
                }
            }
        );
    }

    private static string Named(string method, int steps) => $"{method} {steps}";

    private static string PhotoFolder(DemoSubject subject) => Path.Combine("samples", subject.Name);

    private RgbImage Photo(StableDiffusionModel model, DemoSubject subject, string place, int seed) =>
        Generate(model, null, $"a photo of a plain {subject.Colour.Name} {subject.Shape.Name} {place}", seed);

    private List<(int Steps, ConceptEmbedding Concept)> Learn(
        StableDiffusionModel model,
        DemoSubject subject,
        TrainingOptions method,
        IReadOnlyList<int> steps
    )
    {
        var options = method with
        {
            Initializer = subject.Initializer,
            VectorCount = Vectors,
            Steps = steps.Max(),
            Seed = 1,
            PreviewEvery = 0,
        };
        var settings = TrainingSettings.Resolve(options, subject.Name, _profile, () => 1);
        Photo[] photos =
        [
            .. Directory
                .EnumerateFiles(PhotoFolder(subject))
                .Order(StringComparer.Ordinal)
                .Select(path => new Photo(Path.GetFileName(path), File.ReadAllBytes(path))),
        ];
        var session = StudyTraining.Create(model, settings, photos).Begin();
        var concepts = new List<(int, ConceptEmbedding)>();
        foreach (var step in session.Run(default).OfType<TrainingStep>().Where(step => steps.Contains(step.Step)))
        {
            concepts.Add((step.Step, session.Concept()));
        }

        return concepts;
    }

    /// <param name="model">The model.</param>
    /// <param name="subject">What is looked for.</param>
    /// <param name="concept">What stands for it in the prompts; null: its words.</param>
    /// <param name="name">Of the row.</param>
    private void Measure(StableDiffusionModel model, DemoSubject subject, ConceptEmbedding? concept, string name)
    {
        if (Results.Holds(name, subject.Name))
        {
            return;
        }

        var words = concept?.Placeholder ?? subject.Words;
        RgbImage[] Images(string prompt) =>
            [
                .. Enumerable
                    .Range(1, Seeds)
                    .Select(seed =>
                        Generate(model, concept, prompt.Replace("{concept}", words, StringComparison.Ordinal), seed)
                    ),
            ];

        RgbImage[] complex = [.. Prompts.SelectMany(prompt => Images(prompt.Text))];
        var simple = Images("a photo of {concept}");
        ContactSheet.Write(
            Path.Combine(_folder, $"{subject.Name}-{name.Replace(' ', '-')}.webp"),
            Seeds,
            [.. complex.Concat(simple).Select(image => image.Pixels.ToArray())]
        );
        var scores = _reader.Obedience(
            complex,
            subject,
            [.. Prompts.SelectMany(prompt => Enumerable.Repeat(prompt.Scene, Seeds))]
        );
        scores["simple"] = _reader.Shown(simple, subject);
        scores["norm"] = concept?.Encoders[0].Magnitudes.Average() ?? 0;
        Results.Add(name, subject.Name, scores);
    }

    private RgbImage Generate(StableDiffusionModel model, ConceptEmbedding? concept, string prompt, int seed)
    {
        var options = new GenerationOptions
        {
            Prompt = prompt,
            Steps = 20,
            GuidanceScale = 5,
            Seed = (ulong)seed,
        };
        var settings = GenerationSettings.Resolve(options, _profile, () => 1);
        return new TextToImage(model)
            .Run(settings, concept is null ? [] : [concept], default)
            .OfType<GeneratedImage>()
            .Single()
            .Image;
    }

    private static StudyPrompt Prompt(string text, Shape other, string colour, Place place, Style style)
    {
        var known = ObjectColour.All.Single(known => known.Name == colour);
        var thing = new SceneObject(other, known, Pattern.Plain, ObjectSize.Medium, 0, 0, 0, 0);
        return new StudyPrompt(
            text,
            new Scene([thing, thing], Relation.LeftOf, place, style, Lighting.Day, new Camera(0, 1, 0, 0), 0)
        );
    }
}
