namespace Dti.Mini.World.Shapes;

/// <summary>Everything that scenes are made of.</summary>
internal static class ShapeCatalogue
{
    public static IReadOnlyList<Shape> All { get; } =
    [
        Tableware.Mug,
        Tableware.Teapot,
        Tableware.Vase,
        Tableware.Bottle,
        Tableware.Bowl,
        Animals.Cat,
        Animals.Dog,
        Animals.Rabbit,
        Animals.Owl,
        Animals.Fish,
        Animals.Duck,
        Animals.Turtle,
        Outdoors.Tree,
        Outdoors.Flower,
        Outdoors.Mushroom,
        Outdoors.Cactus,
        Outdoors.House,
        Outdoors.Car,
        Outdoors.Boat,
        Outdoors.Rocket,
        Outdoors.Balloon,
        Things.Star,
        Things.Heart,
        Things.Moon,
        Things.Ball,
        Things.Chair,
        Things.Lamp,
        Things.Hat,
        Things.Umbrella,
        Things.Guitar,
    ];

    private static readonly Dictionary<string, int> _index = All.Select((shape, i) => (shape.Name, i))
        .ToDictionary(pair => pair.Name, pair => pair.i, StringComparer.Ordinal);

    /// <summary>The place of a shape in <see cref="All"/>.</summary>
    public static int IndexOf(Shape shape) => _index[shape.Name];
}
