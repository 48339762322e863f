namespace Dti.Cli.Demo;

/// <summary>Something that the demo learns.</summary>
/// <param name="Name">Of the concept, and of its photos' folder in <c>samples</c>, which Dti.Cli.csproj embeds.</param>
/// <param name="Initializer">The word that training starts from: that of its family.</param>
/// <param name="Prompts">
/// A plain prompt, those that change the subject, and two long ones; <c>{concept}</c> stands for it.
/// </param>
internal sealed record DemoSubject(string Name, string Initializer, IReadOnlyList<string> Prompts);

/// <summary>How much the demo computes.</summary>
/// <param name="Steps">Training steps, by either method.</param>
/// <param name="SamplingSteps">Sampling steps of each image.</param>
/// <param name="Seeds">Images of each prompt, from seeds that follow each other.</param>
/// <param name="Frames">Images of the interpolation: one more than a multiple of <see cref="DemoScript.StripEvery"/>.
/// </param>
internal sealed record DemoLength(int Steps, int SamplingSteps, int Seeds, int Frames);

/// <summary>What the demo shows: everything that is chosen for one model and the photos made for it.</summary>
internal static class DemoScript
{
    /// <summary>Chosen by the measurements in bench/demo.md.</summary>
    public static IReadOnlyList<DemoSubject> Subjects { get; } =
    [new("star-castle", "castle", Prompts("golden", "black")), new("chess-jug", "jug", Prompts("golden", "white"))];

    /// <summary>The prompt of the interpolation and of previews.</summary>
    public const string PlainPrompt = "a photo of a {concept}";

    /// <summary>
    /// Both methods start at the word of the family, which takes more steps than the model's default, a start at the
    /// photos.
    /// </summary>
    public static DemoLength Full { get; } = new(Steps: 150, SamplingSteps: 12, Seeds: 4, Frames: 22);

    /// <summary>That of <c>--fast</c>: too short to learn anything.</summary>
    public static DemoLength Fast { get; } = new(Steps: 4, SamplingSteps: 2, Seeds: 2, Frames: 4);

    /// <summary>The effective learning rate of the official launcher of TI: its 0.005 times its batch of 4.</summary>
    public const double TiLearningRate = 0.02;

    /// <summary>Guidance of each image.</summary>
    public const double Guidance = 5;

    /// <summary>The sampler of each image, which needs few steps.</summary>
    public const string Scheduler = "dpmpp_2m";

    /// <summary>The strip shows the first image of this many, and the last of all; the animation shows all.</summary>
    public const int StripEvery = 3;

    /// <summary>Images per second of the animation.</summary>
    public const int FramesPerSecond = 8;

    private static string[] Prompts(params IEnumerable<string> modifiers) =>
        [
            "a photo of a {concept} in the snow",
            .. modifiers.Select(modifier => $"a photo of a {modifier} {{concept}} in a meadow"),
            "a photo of a red mushroom to the left of a {concept} in a meadow",
            "a watercolor painting of a blue car to the right of a {concept} in the snow",
        ];
}
