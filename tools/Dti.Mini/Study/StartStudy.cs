using System.Globalization;
using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Mini.Sheets;
using Dti.Mini.Stages;
using Dti.Mini.Training;
using Dti.Mini.World.Designs;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// How many steps the direction that is predicted from the photos saves: DTI on held-out designs from there and from
/// the family's word, after different numbers of steps. Concepts and rows of results are kept, so that a killed run
/// continues.
/// </summary>
internal sealed class StartStudy
{
    private const int Seeds = 2; // of images
    private const int TrainingSeed = 1;
    private readonly StudyModel _model;
    private readonly DesignConcepts _concepts;
    private readonly DesignReader _reader;

    /// <param name="folder">The work folder.</param>
    public StartStudy(string folder)
    {
        _model = new StudyModel();
        _concepts = new DesignConcepts(folder, _model.Profile);
        _reader = new DesignReader(_model.Tokenizer.VocabularySize);
    }

    /// <summary>The results: a row per start, number of steps, and design.</summary>
    public static ResultsFile Results { get; } = new("starts.csv");

    private static IReadOnlyList<StudyMethod> Methods { get; } =
    [
        .. new[] { 0, 10, 25, 50, 150, 200 }.Select(steps => After(steps, TrainingStart.Word)),
        .. new[] { 0, 10, 25, 50 }.Select(steps => After(steps, TrainingStart.Photos)),
    ];

    /// <summary>Learns and reads what is not in the results yet, one concept per core.</summary>
    /// <param name="count">How many held-out designs, from the first.</param>
    public void Run(int count)
    {
        var work = (
            from method in Methods
            from index in Enumerable.Range(0, count)
            where !Results.Holds(method.Name, NameOf(index))
            select (Method: method, Index: index)
        ).ToArray();
        _concepts.Learn(work.Select(run => (run.Method, run.Index, TrainingSeed)));
        EachCore.Run(work, run => Results.Add(run.Method.Name, NameOf(run.Index), Measure(run.Method, run.Index)));
    }

    private static string NameOf(int design) => design.ToString(CultureInfo.InvariantCulture);

    // A run takes at least one step: the shortest of all leaves the start where it is.
    private static StudyMethod After(int steps, TrainingStart start) =>
        StudyMethods.Default with
        {
            Name = string.Create(CultureInfo.InvariantCulture, $"{start}-{steps}").ToLowerInvariant(),
            LearningRate = steps == 0 ? 1e-9 : StudyMethods.Default.LearningRate,
            Steps = Math.Max(1, steps),
            Start = start,
        };

    private Dictionary<string, double> Measure(StudyMethod method, int index)
    {
        var design = Design.HeldOut(index);
        var concept = _concepts.Get(method, index, TrainingSeed);
        var read = _reader.Designs(Generate(concept, design));
        return new()
        {
            ["parts"] = read.Average(image => image.PartsRight(design)),
            ["colour_error"] = read.Average(image => image.ColourError(design)),
            ["cosine"] = Cosine(concept, design),
        };
    }

    private byte[][] Generate(ConceptEmbedding concept, Design design)
    {
        using var scope = NewDisposeScope();
        var states = _model.Encode(
            [concept],
            DesignPrompts
                .Of(design)
                .Where(prompt => prompt.Group == PromptGroup.Plain)
                .Select(prompt => prompt.Fill(concept))
        );
        return [.. Enumerable.Range(0, Seeds).SelectMany(seed => _model.Sample(states, Sampling.Study, seed))];
    }

    /// <summary>Between a concept's direction and that of the design's own embedding.</summary>
    private static double Cosine(ConceptEmbedding concept, Design design)
    {
        var direction = concept.Encoders[0].Direction(0).ToArray();
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var embedding = WordsStage
            .Embedder(direction.Length)
            .Embed(tensor(DesignParameters.Of(design), [1, DesignParameters.Count]).to(Precision.Compute))
            .to(ScalarType.Float32);
        return nn.functional.cosine_similarity(embedding, tensor(direction, [1, direction.Length])).item<float>();
    }
}
