using Dti.Engine.Concepts;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using Dti.Mini.World.Shapes;

namespace Dti.Mini.Study;

/// <summary>What a prompt of the study of methods asks for in addition to the concept.</summary>
internal enum PromptGroup
{
    /// <summary>A place, in a photo: how similar is the concept to its subject?</summary>
    Plain,

    /// <summary>A style and a place.</summary>
    Ordinary,

    /// <summary>Another colour, pattern or material of the concept itself.</summary>
    Modifier,

    /// <summary>Another object with a colour and a relation.</summary>
    Object,

    /// <summary>A second concept.</summary>
    Pair,
}

/// <summary>A prompt, and what its image must show.</summary>
/// <param name="Group">Its group.</param>
/// <param name="Text">With <c>{concept}</c>, in pairs also <c>{other}</c>.</param>
internal sealed record DesignPrompt(PromptGroup Group, string Text)
{
    /// <summary>The place and style of an ordinary prompt.</summary>
    public (Place Place, Style Style) Scene { get; init; }

    /// <summary>What a modifier prompt changes; null: nothing.</summary>
    public DesignModifier? Modifier { get; init; }

    /// <summary>The other object, and how it stands to the concept; null: none.</summary>
    public (Shape Shape, ObjectColour Colour, Relation Relation)? Object { get; init; }

    /// <summary>A prompt that asks for another object.</summary>
    /// <param name="text">With <c>{concept}</c>.</param>
    /// <param name="shape">What the object is.</param>
    /// <param name="colour">The name of its colour.</param>
    /// <param name="relation">How it stands to the concept.</param>
    public static DesignPrompt WithObject(string text, Shape shape, string colour, Relation relation) =>
        new(PromptGroup.Object, text)
        {
            Object = (shape, ObjectColour.All.Single(named => named.Name == colour), relation),
        };

    /// <summary>The text with the placeholders of concepts.</summary>
    /// <param name="concept">For <c>{concept}</c>.</param>
    /// <param name="other">For <c>{other}</c>; null: no prompt that is filled has it.</param>
    public string Fill(ConceptEmbedding concept, ConceptEmbedding? other = null) =>
        Text.Replace("{concept}", concept.Placeholder, StringComparison.Ordinal)
            .Replace("{other}", other?.Placeholder, StringComparison.Ordinal);

    /// <summary>The share of what is asked for that an image shows; not for plain prompts and pairs.</summary>
    public double Score(ReadScene scene, ReadDesign read, Design design) =>
        this switch
        {
            { Group: PromptGroup.Ordinary } => (
                (scene.Place == Scene.Place ? 1 : 0) + (scene.Style == Scene.Style ? 1 : 0)
            ) / 2.0,
            { Modifier: { } modifier } => Follows(read, modifier) ? 1 : 0,
            { Object: var (shape, colour, relation) } => scene.Score(shape, colour, relation),
            _ => throw new InvalidOperationException($"{Group} asks for nothing."),
        };

    private static bool Follows(ReadDesign read, DesignModifier modifier) =>
        modifier switch
        {
            { Colour: { } colour } => ObjectColour.All.MinBy(named => Design.Distance(named.Value, read.Main))
                == colour,
            { Pattern: { } pattern } => read.Pattern == pattern,
            _ => read.Material == modifier.Material,
        };
}

/// <summary>The prompts of the study of methods, fixed before it ran: the same for every method and seed.</summary>
internal static class DesignPrompts
{
    private static readonly DesignPrompt[] _shared =
    [
        new(PromptGroup.Plain, "a photo of a {concept} in a meadow"),
        new(PromptGroup.Plain, "a photo of a {concept} on the beach"),
        new(PromptGroup.Plain, "a photo of a {concept} in the snow"),
        Ordinary("a watercolor painting of a {concept} in the snow", Place.Snow, Style.Watercolor),
        Ordinary("a pencil sketch of a {concept} in a forest", Place.Forest, Style.Pencil),
        Ordinary("pixel art of a {concept} on the beach", Place.Beach, Style.Pixel),
        Ordinary("a flat illustration of a {concept} in the desert", Place.Desert, Style.Flat),
        Ordinary("an ink drawing of a {concept} in a library", Place.Library, Style.Ink),
        Ordinary("a neon sign of a {concept} underwater", Place.Underwater, Style.Neon),
        DesignPrompt.WithObject(
            "a photo of a red mushroom to the left of a {concept} in a meadow",
            Outdoors.Mushroom,
            "red",
            Relation.LeftOf
        ),
        DesignPrompt.WithObject(
            "a photo of a blue car to the right of a {concept} in the snow",
            Outdoors.Car,
            "blue",
            Relation.RightOf
        ),
        DesignPrompt.WithObject(
            "a photo of a yellow ball in front of a {concept} on the beach",
            Things.Ball,
            "yellow",
            Relation.InFrontOf
        ),
        new(PromptGroup.Pair, "a photo of a {concept} to the left of a {other} in a meadow"),
        new(PromptGroup.Pair, "a photo of a {other} to the left of a {concept} in the snow"),
    ];

    /// <summary>
    /// The prompts for a design. Its modifiers are the three colours that are farthest from its own, the pattern after
    /// its own, and two materials.
    /// </summary>
    public static IReadOnlyList<DesignPrompt> Of(Design design) =>
        [
            .. _shared,
            .. ObjectColour
                .All.OrderByDescending(colour => Design.Distance(colour.Value, design.Main))
                .Take(3)
                .Select(colour => Modifier(colour.Name, new DesignModifier(Colour: colour))),
            design.Pattern == Pattern.Striped
                ? Modifier("spotted", new DesignModifier(Pattern: Pattern.Spotted))
                : Modifier("striped", new DesignModifier(Pattern: Pattern.Striped)),
            Modifier("golden", new DesignModifier(Material: Material.Golden)),
            Modifier("wooden", new DesignModifier(Material: Material.Wooden)),
        ];

    private static DesignPrompt Ordinary(string text, Place place, Style style) =>
        new(PromptGroup.Ordinary, text) { Scene = (place, style) };

    private static DesignPrompt Modifier(string word, DesignModifier modifier) =>
        new(PromptGroup.Modifier, $"a photo of a {word} {{concept}} in a meadow") { Modifier = modifier };
}
