using System.Globalization;
using Dti.Engine.Concepts;
using Dti.Mini.Sheets;
using Dti.Mini.Stages;
using Dti.Mini.World.Designs;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// The paper's claim on designs that the model has never seen: each is learnt by each method with each seed, and then
/// generated in the same prompts from the same noise. Concepts and rows of results are kept, so that a killed run
/// continues.
/// </summary>
internal sealed class MethodStudy
{
    private readonly string _folder;
    private readonly StudyModel _model;
    private readonly DesignConcepts _concepts;
    private readonly DesignReader _reader;

    /// <param name="folder">The work folder.</param>
    public MethodStudy(string folder)
    {
        _folder = Path.Combine(folder, "methods");
        _model = new StudyModel();
        _concepts = new DesignConcepts(folder, _model.Profile);
        _reader = new DesignReader(_model.Tokenizer.VocabularySize);
    }

    /// <summary>The held-out designs on which methods are compared.</summary>
    public static Range Compared { get; } = ..32;

    /// <summary>Others, on which rates and other settings are chosen.</summary>
    public static Range Tuned { get; } = 32..Design.HeldOutCount;

    /// <summary>The results: a row per method, design and seed.</summary>
    public static ResultsFile Results { get; } = new("methods.csv");

    /// <summary>Learns and reads what is not in the results yet, one concept per core.</summary>
    /// <param name="methods">The methods.</param>
    /// <param name="designs">Which held-out designs.</param>
    /// <param name="seeds">How many seeds for each, from 1.</param>
    public void Run(IEnumerable<StudyMethod> methods, IReadOnlyList<int> designs, int seeds)
    {
        foreach (var seed in Enumerable.Range(1, seeds))
        {
            // Few trainings at a time, each with all methods that share it: results come early, and no core waits.
            foreach (var trainings in methods.GroupBy(method => method.Folder).Chunk(Environment.ProcessorCount))
            {
                Run([.. trainings.SelectMany(sharing => sharing)], designs, seed);
            }
        }
    }

    private void Run(StudyMethod[] methods, IReadOnlyList<int> designs, int seed)
    {
        var work = (
            from method in methods
            from index in designs
            where !Results.Holds(method.Name, NameOf(index, seed))
            select (Method: method, Index: index)
        ).ToArray();
        _concepts.Learn(
            work.SelectMany(run => (int[])[run.Index, PartnerOf(run.Index)], (run, index) => (run.Method, index, seed))
        );
        EachCore.Run(work, run =>
            Results.Add(run.Method.Name, NameOf(run.Index, seed), Judge(run.Method, run.Index, seed))
        );
    }

    private static string NameOf(int design, int seed) =>
        string.Create(CultureInfo.InvariantCulture, $"{design}/{seed}");

    private Dictionary<string, double> Judge(StudyMethod method, int index, int seed)
    {
        var design = Design.HeldOut(index);
        var partner = PartnerOf(index);
        var concept = Concept(method, index, seed);
        var other = Concept(method, partner, seed);
        var prompts = DesignPrompts.Of(design);
        var images = Generate(concept, other, prompts, seed);
        ContactSheet.Write(Path.Combine(_folder, "sheets", $"{method.Name}-{index}-{seed}.webp"), 5, images);
        var (scenes, read) = _reader.Read(images);
        var scores = Enum.GetValues<PromptGroup>()
            .Except([PromptGroup.Plain, PromptGroup.Pair])
            .ToDictionary(
                group => group.ToString().ToLowerInvariant(),
                group => Of(group, prompts).Average(i => prompts[i].Score(scenes[i], read[i], design))
            );
        scores["pair"] = Pair(images, scenes, prompts, design, Design.HeldOut(partner));
        scores["text"] = scores.Values.Average();
        var plain = Of(PromptGroup.Plain, prompts);
        scores["parts"] = plain.Average(i => read[i].PartsRight(design));
        scores["colour_error"] = plain.Average(i => read[i].ColourError(design));
        scores["norm"] = concept.Encoders[0].Magnitudes.Average();
        return scores;
    }

    /// <summary>How much of both concepts is in images of pairs: found, and then its parts.</summary>
    private double Pair(
        byte[][] images,
        IReadOnlyList<ReadScene> scenes,
        IReadOnlyList<DesignPrompt> prompts,
        Design design,
        Design partner
    )
    {
        var indices = Of(PromptGroup.Pair, prompts);
        byte[][] pairs = [.. indices.Select(i => images[i])];
        return ((Design[])[design, partner]).Average(asked =>
            _reader
                .Designs(pairs, [.. pairs.Select(_ => asked.Family)])
                .Select((read, i) => scenes[indices[i]].Shows(asked.Family) ? read.PartsRight(asked) : 0)
                .Average()
        );
    }

    private static int[] Of(PromptGroup group, IReadOnlyList<DesignPrompt> prompts) =>
        [.. prompts.Index().Where(prompt => prompt.Item.Group == group).Select(prompt => prompt.Index)];

    /// <summary>The next design of another family.</summary>
    private static int PartnerOf(int index)
    {
        var family = Design.HeldOut(index).Family;
        var next = index + 1;
        while (Design.HeldOut(next % Design.HeldOutCount).Family == family)
        {
            next++;
        }

        return next % Design.HeldOutCount;
    }

    private byte[][] Generate(
        ConceptEmbedding concept,
        ConceptEmbedding other,
        IReadOnlyList<DesignPrompt> prompts,
        int seed
    )
    {
        using var scope = NewDisposeScope();
        var states = _model.Encode([concept, other], prompts.Select(prompt => prompt.Fill(concept, other)));
        return _model.Sample(states, Sampling.Study, seed);
    }

    /// <summary>A design's concept as a method uses it.</summary>
    private ConceptEmbedding Concept(StudyMethod method, int index, int seed) =>
        method.After(_concepts.Get(method, index, seed), _model.Profile, _model.Word(Design.HeldOut(index).Word));
}
