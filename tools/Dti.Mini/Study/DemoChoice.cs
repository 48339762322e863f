using Dti.Engine.Concepts;
using Dti.Mini.Sheets;
using Dti.Mini.Stages;
using Dti.Mini.Subjects;
using Dti.Mini.World;
using Dti.Mini.World.Shapes;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// Candidates for the demo: each subject, learnt by DTI with the model's defaults and by TI at the effective rate of
/// its official launcher, in prompts of the study of methods and in longer ones. A killed run continues.
/// </summary>
internal sealed class DemoChoice
{
    private const int Seed = 1; // of the training
    private const int Seeds = 4; // of images

    private static readonly DesignPrompt[] _long =
    [
        DesignPrompt.WithObject(
            "a watercolor painting of a blue car to the right of a {concept} in the snow",
            Outdoors.Car,
            "blue",
            Relation.RightOf
        ),
        DesignPrompt.WithObject(
            "pixel art of a spotted red mushroom to the left of a {concept} in a forest",
            Outdoors.Mushroom,
            "red",
            Relation.LeftOf
        ),
        DesignPrompt.WithObject(
            "a flat illustration of a striped blue house behind a {concept} in the snow at dusk",
            Outdoors.House,
            "blue",
            Relation.Behind
        ),
    ];

    private static readonly StudyMethod[] _methods = [StudyMethods.PaperKappa, StudyMethods.Inversion];

    private readonly string _folder;
    private readonly StudyModel _model;
    private readonly DesignConcepts _concepts;
    private readonly DesignReader _reader;

    /// <param name="folder">The work folder.</param>
    public DemoChoice(string folder)
    {
        _folder = Path.Combine(folder, "demo");
        _model = new StudyModel();
        _concepts = new DesignConcepts(folder, _model.Profile);
        _reader = new DesignReader(_model.Tokenizer.VocabularySize);
    }

    /// <summary>The results: a row per method and subject with prompt.</summary>
    public static ResultsFile Results { get; } = new("demo-choice.csv");

    /// <summary>Learns and reads what is not in the results yet, one concept per core.</summary>
    /// <param name="subjects">The candidates.</param>
    public void Run(IEnumerable<Subject> subjects)
    {
        var work = subjects
            .SelectMany(subject => _methods.Select(method => (Method: method, Subject: subject)))
            .Where(run =>
                PromptsOf(run.Subject).Any(prompt => !Results.Holds(run.Method.Name, Named(run.Subject, prompt)))
            )
            .ToArray();
        _concepts.Learn(work.Select(run => (run.Method, run.Subject.Index, Seed)));
        EachCore.Run(work, run => Measure(run.Method, run.Subject));
    }

    private void Measure(StudyMethod method, Subject subject)
    {
        var prompts = PromptsOf(subject);
        var concept = _concepts.Get(method, subject.Index, Seed);
        var images = Generate(concept, prompts);
        ContactSheet.Write(
            Path.Combine(_folder, $"{subject.Name}-{method.Name}.webp"),
            Seeds,
            [.. prompts.SelectMany((_, i) => images.Select(seed => seed[i]))]
        );
        foreach (var (i, prompt) in prompts.Index())
        {
            byte[][] shown = [.. images.Select(seed => seed[i])];
            var (scenes, read) = _reader.Read(shown);
            var asked = prompt.Modifier?.Apply(subject.Design) ?? subject.Design;
            Results.Add(
                method.Name,
                Named(subject, prompt),
                new Dictionary<string, double>
                {
                    ["asked"] =
                        prompt.Group == PromptGroup.Plain
                            ? 1
                            : read.Index().Average(i => prompt.Score(scenes[i.Index], i.Item, subject.Design)),
                    ["parts"] = read.Average(image => image.PartsRight(asked)),
                    ["colour_error"] = read.Average(image => image.ColourError(asked)),
                    ["norm"] = concept.Encoders[0].Magnitudes.Average(),
                }
            );
        }
    }

    private static string Named(Subject subject, DesignPrompt prompt) => $"{subject.Name}: {prompt.Text}";

    private static DesignPrompt[] PromptsOf(Subject subject) =>
        [.. DesignPrompts.Of(subject.Design).Where(prompt => prompt.Group != PromptGroup.Pair), .. _long];

    /// <summary>For each seed, an image of each prompt.</summary>
    private byte[][][] Generate(ConceptEmbedding concept, IReadOnlyList<DesignPrompt> prompts)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var states = _model.Encode([concept], prompts.Select(prompt => prompt.Fill(concept)));
        return [.. Enumerable.Range(1, Seeds).Select(seed => _model.Sample(states, Sampling.Study, seed))];
    }
}
