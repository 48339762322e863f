using Dti.ClientSdk;

namespace Dti.Cli.Demo;

/// <summary>A concept of the demo.</summary>
/// <param name="Name">Its name.</param>
/// <param name="PhotoFolder">What it is learnt from.</param>
/// <param name="Training">What is asked of the training.</param>
/// <param name="Pictures">What is drawn with it alone; may be empty.</param>
internal sealed record DemoConcept(string Name, string PhotoFolder, TrainingOptions Training, IReadOnlyList<GenerationOptions> Pictures);

/// <summary>One prompt from the same noise, with the concept as each method learnt it.</summary>
/// <param name="Dti">With the direction alone learnt.</param>
/// <param name="Ti">With the whole embedding learnt.</param>
internal sealed record DemoComparison(GenerationOptions Dti, GenerationOptions Ti);

/// <summary>Everything that the demo asks the server for.</summary>
/// <param name="Concepts">Two concepts, learnt by DTI.</param>
/// <param name="Baseline">The first of them again, learnt by plain textual inversion.</param>
/// <param name="Comparisons">The first concept in long prompts, both ways.</param>
/// <param name="Blend">What lies between the two concepts.</param>
internal sealed record DemoPlan(
    IReadOnlyList<DemoConcept> Concepts, DemoConcept Baseline, IReadOnlyList<DemoComparison> Comparisons, InterpolateRequest Blend)
{
    /// <summary>Frames of the interpolation.</summary>
    private const int Frames = 8;

    /// <summary>Vectors of each concept: as many of both, however a model's vocabulary spells their words, so that they can be blended.</summary>
    private const int Vectors = 4;

    /// <summary>Guidance of every picture: what dti-mini draws best with, and not too little for larger models.</summary>
    private const double Guidance = 5;

    /// <summary>Pictures of each prompt, from seeds that follow each other.</summary>
    private const int PerPrompt = 4;

    /// <summary>Each asks for a style, a place, and another thing with its colour, its pattern and where it stands.</summary>
    private static readonly string[] _complex =
    [
        "a watercolor painting of {concept} to the left of a spotted red mushroom in a forest",
        "pixel art of {concept} in front of a striped blue house in the snow",
        "an ink drawing of {concept} to the right of a checkered yellow ball on the beach at dusk",
    ];

    /// <summary>Makes the plan.</summary>
    /// <param name="steps">Training steps of each concept.</param>
    /// <param name="samplingSteps">Sampling steps of every picture.</param>
    /// <param name="seed">Seed of the trainings and of the pictures.</param>
    /// <param name="photos">The folder of <see cref="DemoPhotos"/>.</param>
    public static DemoPlan Create(int steps, int samplingSteps, ulong seed, string photos)
    {
        var teapot = Concept("crested-teapot", "teapot");
        var creature = Concept("horned-creature", "cat");
        var baseline = teapot with { Name = "crested-teapot-ti", Training = teapot.Training with { Method = TrainingMethod.Ti }, Pictures = [] };
        return new DemoPlan(
            [teapot, creature],
            baseline,
            [.. _complex.Select(prompt => new DemoComparison(Draw(prompt, teapot.Name), Draw(prompt, baseline.Name)))],
            new InterpolateRequest(teapot.Name, creature.Name)
            {
                Frames = Frames,
                Easing = Easing.Linear,
                Prompt = "a photo of {concept}",
                Options = new GenerationOptions { Seed = seed, Steps = samplingSteps, GuidanceScale = Guidance },
            });

        DemoConcept Concept(string name, string initializer) => new(
            name, Path.Combine(photos, name),
            new TrainingOptions
            {
                Initializer = initializer,
                VectorCount = Vectors,
                Steps = steps,
                Seed = seed,
                PreviewEvery = Math.Max(1, steps / 4),
                PreviewSteps = samplingSteps,
            },
            [Draw("a photo of {concept} in the snow", name)]);

        GenerationOptions Draw(string prompt, string name) => new()
        {
            Prompt = prompt.Replace("{concept}", $"<{name}>", StringComparison.Ordinal),
            Seed = seed,
            Steps = samplingSteps,
            GuidanceScale = Guidance,
            ImageCount = PerPrompt,
        };
    }
}
