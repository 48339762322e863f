using Dti.Mini.World.Designs;
using Dti.Mini.World.Shapes;

namespace Dti.Mini.World;

/// <summary>One object of a scene.</summary>
/// <param name="Shape">What it is.</param>
/// <param name="Colour">Its colour.</param>
/// <param name="Pattern">What covers it.</param>
/// <param name="Size">As captions may say.</param>
/// <param name="X">Centre, 0 (left) to 1.</param>
/// <param name="Foot">Where it stands, 0 (top) to 1.</param>
/// <param name="Extent">Side of its box as a part of the picture's.</param>
/// <param name="Tilt">Degrees clockwise.</param>
/// <param name="Designed">Its design; null: a shape of the catalogue.</param>
internal sealed record SceneObject(
    Shape Shape,
    ObjectColour Colour,
    Pattern Pattern,
    ObjectSize Size,
    float X,
    float Foot,
    float Extent,
    float Tilt,
    DesignedObject? Designed = null
)
{
    /// <summary>An object of that design, without a place yet.</summary>
    public static SceneObject Of(DesignedObject designed, ObjectSize size) =>
        new(
            DesignShape.Of(designed.Painted),
            DesignShape.ColourOf(designed.Painted),
            designed.Painted.Pattern,
            size,
            0,
            0,
            0,
            0,
            designed
        );

    /// <summary>The height of its top, 0 (top of the picture) to 1.</summary>
    public float Top => Foot - (Extent * (1 - ShapeBounds.Of(Shape).Top) / 2);
}

/// <summary>The camera's jitter.</summary>
/// <param name="Angle">Degrees.</param>
/// <param name="Zoom">1: none.</param>
/// <param name="ShiftX">As a part of the picture.</param>
/// <param name="ShiftY">As a part of the picture.</param>
internal sealed record Camera(float Angle, float Zoom, float ShiftX, float ShiftY);

/// <summary>
/// What is in a picture. One to three objects; with two, <paramref name="Relation"/> says how the first stands to the
/// second.
/// </summary>
/// <param name="Objects">The objects, in the order that captions name them.</param>
/// <param name="Relation">Of the first to the second object; null: one object, or three from left to right.</param>
/// <param name="Place">Where.</param>
/// <param name="Style">How it is rendered.</param>
/// <param name="Lighting">The light.</param>
/// <param name="Camera">The camera's jitter.</param>
/// <param name="Seed">Of everything random in the rendering.</param>
internal sealed record Scene(
    IReadOnlyList<SceneObject> Objects,
    Relation? Relation,
    Place Place,
    Style Style,
    Lighting Lighting,
    Camera Camera,
    ulong Seed
)
{
    /// <summary>The objects, back to front.</summary>
    public IEnumerable<SceneObject> BackToFront =>
        Relation is World.Relation.Behind or World.Relation.LeftOf ? Objects : Objects.Reverse();

    /// <summary>The scene of that number: the same on every machine.</summary>
    public static Scene Sample(ulong seed, int index) =>
        Sample(
            new Dice(seed, (ulong)index),
            seed ^ (unchecked((ulong)index) * 0x9E37_79B9_7F4A_7C15),
            HoldsDesigns(seed)
        );

    /// <summary>
    /// Whether the scenes of a seed hold designs. The world without them is what the first legs of training saw.
    /// </summary>
    public static bool HoldsDesigns(ulong seed) => seed is Design.TrainScenes or Design.HeldOutScenes;

    private static Scene Sample(Dice dice, ulong seed, bool designs)
    {
        var style = dice.Chance(0.25f) ? Style.Photo : dice.Pick<Style>();
        var lighting = style == Style.Neon || dice.Chance(0.6f) ? Lighting.Day : dice.Pick<Lighting>();
        var place = dice.Pick<Place>();
        var roll = dice.Range(0, 1);
        var count =
            roll < (designs ? 0.5f : 0.35f) ? 1
            : roll < (designs ? 0.92f : 0.85f) ? 2
            : 3;
        Relation? relation = count == 2 ? dice.Pick<Relation>() : null;
        var shapes = dice.Shuffle(ShapeCatalogue.All).Take(count);
        var looks = new List<SceneObject>();
        foreach (var shape in shapes)
        {
            var design = designs && dice.Chance(looks.Count == 0 ? 0.7f : 0.25f) ? SceneLayout.Design(dice) : null;

            // One of each kind, so that a scene's objects can be told apart.
            looks.Add(
                design is null || looks.Any(o => o.Shape.Name == design.Shape.Name)
                    ? SceneLayout.Look(dice, shape)
                    : design
            );
        }

        var objects = SceneLayout.Place(dice, looks, relation);
        var camera = new Camera(
            dice.Range(-2.5f, 2.5f),
            dice.Range(1, 1.06f),
            dice.Range(-0.02f, 0.02f),
            dice.Range(-0.02f, 0.02f)
        );
        return new Scene(objects, relation, place, style, lighting, camera, seed);
    }
}
