using Dti.ClientSdk;

namespace Dti.Cli.Demo;

/// <summary>A concept of the demo: what it is learnt from, and what is drawn with it.</summary>
/// <param name="Name">Its name, also that of its folder in <c>samples</c>.</param>
/// <param name="PhotoFolder">The folder.</param>
/// <param name="Training">What is asked of the training.</param>
/// <param name="Pictures">What is asked of each generation.</param>
internal sealed record DemoConcept(
    string Name, string PhotoFolder, TrainingOptions Training, IReadOnlyList<GenerationOptions> Pictures);

/// <summary>Everything that the demo asks the server for.</summary>
/// <param name="Concepts">Two concepts.</param>
/// <param name="Blend">What lies between them.</param>
internal sealed record DemoPlan(IReadOnlyList<DemoConcept> Concepts, InterpolateRequest Blend)
{
    /// <summary>Frames of the interpolation.</summary>
    private const int Frames = 8;

    /// <summary>Makes the plan.</summary>
    /// <param name="steps">Training steps of each concept.</param>
    /// <param name="samplingSteps">Sampling steps of every picture.</param>
    /// <param name="seed">Seed of the trainings; the pictures' seeds follow from it.</param>
    /// <param name="samples">The folder of sample photos.</param>
    public static DemoPlan Create(int steps, int samplingSteps, ulong seed, string samples)
    {
        var cat = Concept("clay-cat", "cat", "a photo of <clay-cat> on a table", "a watercolor painting of <clay-cat>");
        // "cup": the nearest word that also the smallest vocabulary spells in one token.
        var teapot = Concept("star-teapot", "cup", "a photo of <star-teapot> on a table", "a watercolor painting of <star-teapot>");
        return new DemoPlan([cat, teapot], new InterpolateRequest(cat.Name, teapot.Name)
        {
            Frames = Frames,
            Easing = Easing.Linear,
            Prompt = "a photo of {concept}",
            Options = new GenerationOptions { Seed = seed, Steps = samplingSteps },
        });

        DemoConcept Concept(string name, string initializer, params string[] prompts) => new(
            name, Path.Combine(samples, name),
            new TrainingOptions
            {
                Initializer = initializer,
                Steps = steps,
                Seed = seed,
                PreviewEvery = Math.Max(1, steps / 5),
                PreviewSteps = samplingSteps,
            },
            [.. prompts.Select((prompt, i) => new GenerationOptions { Prompt = prompt, Seed = seed + (ulong)i, Steps = samplingSteps })]);
    }
}
