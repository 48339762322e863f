using System.Collections.Concurrent;
using Dti.Engine.Concepts;
using Dti.Mini.Models;
using Dti.Mini.Sheets;
using Dti.Mini.Subjects;
using Dti.Mini.World;
using Dti.Mini.World.Shapes;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// The paper's claim on this model: subjects, learnt by each method, in the same complex prompts and noise. Every
/// concept and every row of results is kept, so that a killed run goes on.
/// </summary>
internal static class ConceptStudy
{
    private const int Seeds = 4;

    /// <summary>The results: a row per method and subject.</summary>
    public static ResultsFile Results { get; } = new("study.csv");

    /// <summary>Runs what is not in the results yet, one concept per core.</summary>
    public static void Run(StudyBench bench, IEnumerable<StudyMethod> methods, IReadOnlyList<Subject> subjects)
    {
        // Methods that share a training follow each other in one unit of work.
        var work = methods
            .SelectMany(method =>
                subjects
                    .Where(subject => !Results.Holds(method.Name, subject.Name))
                    .Select(subject => (Method: method, Subject: subject))
            )
            .GroupBy(entry => (entry.Method.Folder, entry.Subject))
            .ToArray();
        var options = new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount };
        Parallel.ForEach(Partitioner.Create(work, EnumerablePartitionerOptions.NoBuffering), options, entries =>
        {
            set_num_threads(1);
            foreach (var (method, subject) in entries)
            {
                using var scope = NewDisposeScope();
                Results.Add(
                    method.Name,
                    subject.Name,
                    Judge(bench, subject, bench.Concept(method, subject), $"{method.Name}-{subject.Name}")
                );
            }
        });
    }

    private static Dictionary<string, double> Judge(
        StudyBench bench,
        Subject subject,
        ConceptEmbedding concept,
        string sheet
    )
    {
        var complex = bench.Draw(concept, [.. StudyPrompts.Complex.Select(prompt => prompt.Text)], Seeds);
        var simple = bench.Draw(concept, StudyPrompts.Simple, Seeds);
        ContactSheet.Write(Path.Combine(bench.Folder, "sheets", sheet + ".webp"), StudyPrompts.Complex.Count, complex);
        var reading = bench.Read(complex);
        var scores = Obedience(reading);
        scores["text"] = scores.Values.Average();
        scores["likeness"] = bench.Likeness(reading, subject).Average();
        scores["likeness_simple"] = bench.Likeness(bench.Read(simple), subject).Average();
        scores["norm"] = concept.Encoders[0].Magnitudes.Average();
        return scores;
    }

    /// <summary>
    /// How often the place, the style and the other object are as asked: means over prompts and seeds.
    /// </summary>
    private static Dictionary<string, double> Obedience(Reading reading)
    {
        var scenes = Enumerable
            .Repeat(StudyPrompts.Complex, Seeds)
            .SelectMany(prompts => prompts)
            .Select(prompt => prompt.Scene)
            .ToArray();
        double Share(Func<Scene, int, bool> holds) => scenes.Select((scene, i) => holds(scene, i) ? 1.0 : 0).Average();
        static int Other(Scene scene) => ShapeCatalogue.IndexOf(scene.Objects[1].Shape);
        return new()
        {
            ["place"] = Share((scene, i) => reading.Place[i].argmax().item<long>() == (int)scene.Place),
            ["style"] = Share((scene, i) => reading.Style[i].argmax().item<long>() == (int)scene.Style),
            ["shape"] = Share((scene, i) => reading.Presence[i, Other(scene)].item<float>() > 0),
            ["colour"] = Share(
                (scene, i) =>
                    reading.Presence[i, Other(scene)].item<float>() > 0
                    && reading.Colour[i, Other(scene)].argmax().item<long>()
                        == ObjectColour.IndexOf(scene.Objects[1].Colour)
            ),
            ["pattern"] = Share(
                (scene, i) =>
                    reading.Presence[i, Other(scene)].item<float>() > 0
                    && reading.Pattern[i, Other(scene)].argmax().item<long>() == (int)scene.Objects[1].Pattern
            ),
        };
    }
}
