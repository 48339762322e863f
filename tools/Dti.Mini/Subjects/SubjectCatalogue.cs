namespace Dti.Mini.Subjects;

/// <summary>The twelve held-out designs that are shown.</summary>
internal static class SubjectCatalogue
{
    private static readonly string[] _names =
    [
        "eared-robot",
        "berry-bird",
        "winged-jug",
        "heart-bird",
        "star-castle",
        "melon-bird",
        "hatted-jug",
        "masked-bird",
        "chess-jug",
        "sleepy-castle",
        "crowned-creature",
        "crowned-robot",
    ];

    /// <summary>The subjects, in the order of their designs.</summary>
    public static IReadOnlyList<Subject> All { get; } = [.. _names.Select((name, i) => new Subject(name, i))];
}
