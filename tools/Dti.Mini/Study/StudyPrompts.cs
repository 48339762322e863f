using Dti.Mini.World;

namespace Dti.Mini.Study;

/// <summary>A complex prompt for a subject, and what a picture of it must show besides.</summary>
/// <param name="Text">With <c>{concept}</c> for the subject.</param>
/// <param name="Scene">The first object stands for the subject.</param>
internal sealed record StudyPrompt(string Text, Scene Scene);

/// <summary>The prompts of the study: the same for every subject and method.</summary>
internal static class StudyPrompts
{
    private const string Subject = "<subject>";

    /// <summary>
    /// Twenty prompts: a style that is not a photo, a place, a light, and another object with colour, pattern and
    /// relation.
    /// </summary>
    public static IReadOnlyList<StudyPrompt> Complex { get; } = [.. Candidates().Take(20)];

    /// <summary>Four plain ones, to see how like the subject a concept is.</summary>
    public static IReadOnlyList<string> Simple { get; } =
    [
        "a photo of {concept}",
        "a photo of {concept} in a meadow",
        "a good photo of the {concept} in a kitchen",
        "a photo of {concept} on the beach",
    ];

    private static IEnumerable<StudyPrompt> Candidates()
    {
        for (var i = 0; ; i++)
        {
            var scene = Scene.Sample(4242, i);
            if (
                scene.Objects.Count == 2
                && scene.Relation != Relation.On
                && scene.Style != Style.Photo
                && scene.Objects[1].Pattern != Pattern.Plain
            )
            {
                scene = scene with
                {
                    Objects =
                    [
                        scene.Objects[0] with
                        {
                            Shape = scene.Objects[0].Shape with { Name = Subject },
                        },
                        scene.Objects[1],
                    ],
                };
                yield return new StudyPrompt(
                    Captions
                        .Say(scene, new Dice(4242, (ulong)i), everything: true)
                        .Replace(Subject, "{concept}", StringComparison.Ordinal),
                    scene
                );
            }
        }
    }
}
