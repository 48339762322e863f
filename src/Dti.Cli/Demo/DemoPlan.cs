using Dti.ClientSdk;

namespace Dti.Cli.Demo;

/// <summary>A training of the demo.</summary>
/// <param name="Name">Of the concept.</param>
/// <param name="PhotoFolder">What it is learnt from.</param>
/// <param name="Training">Its settings.</param>
internal sealed record DemoConcept(string Name, string PhotoFolder, TrainingOptions Training);

/// <summary>
/// A prompt for both concepts of a subject, from the same seeds; a request for each seed, so that each image can be
/// repeated by itself.
/// </summary>
/// <param name="Text">With <c>{concept}</c> for the subject.</param>
/// <param name="Dti">With the concept that DTI learnt.</param>
/// <param name="Ti">With the concept that TI learnt.</param>
internal sealed record DemoPrompt(
    string Text,
    IReadOnlyList<GenerationOptions> Dti,
    IReadOnlyList<GenerationOptions> Ti
);

/// <summary>A subject, learnt by either method.</summary>
/// <param name="Dti">Its direction alone.</param>
/// <param name="Ti">Its whole embedding.</param>
/// <param name="Prompts">What either is used in.</param>
internal sealed record DemoDuel(DemoConcept Dti, DemoConcept Ti, IReadOnlyList<DemoPrompt> Prompts);

/// <summary>Every request of the demo.</summary>
/// <param name="Duels">The two subjects.</param>
/// <param name="Blend">The interpolation from the first subject's DTI concept to the second's.</param>
internal sealed record DemoPlan(IReadOnlyList<DemoDuel> Duels, InterpolateRequest Blend)
{
    /// <summary>Makes the plan.</summary>
    /// <param name="length">How much it computes.</param>
    /// <param name="seed">Seed of the trainings, and of the first image of each prompt.</param>
    /// <param name="photos">The folder of <see cref="DemoPhotos"/>.</param>
    public static DemoPlan Create(DemoLength length, ulong seed, string photos)
    {
        DemoDuel[] duels = [.. DemoScript.Subjects.Select(Duel)];
        return new DemoPlan(
            duels,
            new InterpolateRequest(duels[0].Dti.Name, duels[1].Dti.Name)
            {
                Frames = length.Frames,
                Easing = Easing.Linear,
                Prompt = DemoScript.PlainPrompt,
                Options = new GenerationOptions
                {
                    Seed = seed,
                    Steps = length.SamplingSteps,
                    GuidanceScale = DemoScript.Guidance,
                    Scheduler = DemoScript.Scheduler,
                },
            }
        );

        DemoDuel Duel(DemoSubject subject)
        {
            var dti = Concept(subject, subject.Name, TrainingMethod.Dti, learningRate: null);
            var ti = Concept(subject, $"{subject.Name}-ti", TrainingMethod.Ti, DemoScript.TiLearningRate);
            return new DemoDuel(
                dti,
                ti,
                [.. subject.Prompts.Select(text => new DemoPrompt(text, Images(text, dti.Name), Images(text, ti.Name)))]
            );
        }

        DemoConcept Concept(DemoSubject subject, string name, TrainingMethod method, double? learningRate) =>
            new(
                name,
                Path.Combine(photos, subject.Name),
                new TrainingOptions
                {
                    Method = method,
                    LearningRate = learningRate,
                    Initializer = subject.Initializer,
                    Steps = length.Steps,
                    Seed = seed,
                    PreviewEvery = method == TrainingMethod.Dti ? Math.Max(1, length.Steps / 2) : 0,
                    PreviewPrompts = [DemoScript.PlainPrompt],
                    PreviewSteps = length.SamplingSteps,
                }
            );

        GenerationOptions[] Images(string text, string name) =>
            [
                .. Enumerable
                    .Range(0, length.Seeds)
                    .Select(index => new GenerationOptions
                    {
                        Prompt = text.Replace("{concept}", $"<{name}>", StringComparison.Ordinal),
                        Seed = unchecked(seed + (ulong)index),
                        Steps = length.SamplingSteps,
                        GuidanceScale = DemoScript.Guidance,
                        Scheduler = DemoScript.Scheduler,
                        ImageCount = 1,
                    }),
            ];
    }
}
