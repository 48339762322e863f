namespace Dti.Cli.Demo;

/// <summary>Something that the demo learns.</summary>
/// <param name="Name">Of the concept, and of its photos' folder in <c>samples</c>, which Dti.Cli.csproj embeds.</param>
/// <param name="Words">What it is in words, with its article.</param>
/// <param name="Initializer">The word that training starts from.</param>
internal sealed record DemoSubject(string Name, string Words, string Initializer);

/// <summary>How much the demo computes.</summary>
/// <param name="Steps">Training steps, by either method.</param>
/// <param name="SamplingSteps">Sampling steps of each image.</param>
/// <param name="Seeds">Images of each prompt, from seeds that follow each other.</param>
internal sealed record DemoLength(int Steps, int SamplingSteps, int Seeds);

/// <summary>What the demo shows: everything that is chosen for one model and the photos made for it.</summary>
internal static class DemoScript
{
    /// <summary>Measured in bench/dti-mini.md, "Subjects of the demo".</summary>
    public static IReadOnlyList<DemoSubject> Subjects { get; } =
    [new("purple-owl", "a purple owl", "animal"), new("orange-cat", "an orange cat", "animal")];

    /// <summary>What the photos are.</summary>
    public const string PhotoSource = "images that dti-mini generated itself";

    /// <summary>A plain prompt, then two that ask for more; <c>{concept}</c> stands for the subject.</summary>
    public static IReadOnlyList<string> Prompts { get; } =
    [
        "a photo of {concept} on the beach",
        "a photo of {concept} in front of a striped blue house in the snow",
        "a photo of {concept} to the left of a spotted red mushroom in a forest",
    ];

    /// <summary>The prompt of the interpolation and of previews.</summary>
    public const string PlainPrompt = "a photo of {concept}";

    /// <summary>Vectors of each concept: as many of both, so that they can be blended.</summary>
    public const int Vectors = 3;

    public static DemoLength Full { get; } = new(Steps: 200, SamplingSteps: 20, Seeds: 4);

    /// <summary>That of <c>--fast</c>: too short to learn anything.</summary>
    public static DemoLength Fast { get; } = new(Steps: 4, SamplingSteps: 2, Seeds: 2);

    /// <summary>The effective learning rate of the official launcher of DTI: its 0.01 times its batch of 4.</summary>
    public const double DtiLearningRate = 0.04;

    /// <summary>The κ of the official launcher of DTI.</summary>
    public const double Kappa = 1e-4;

    /// <summary>The effective learning rate of the official launcher of TI: its 0.005 times its batch of 4.</summary>
    public const double TiLearningRate = 0.02;

    /// <summary>Guidance of each image.</summary>
    public const double Guidance = 5;

    /// <summary>Frames of the interpolation.</summary>
    public const int Frames = 8;
}
