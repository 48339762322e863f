using Dti.Mini.World.Designs;
using SkiaSharp;

namespace Dti.Mini.World;

/// <summary>Gives objects their looks and their places, so that a relation can be seen.</summary>
internal static class SceneLayout
{
    private const float Ground = Backdrops.Ground;

    /// <summary>Gives each object a place, in the order of <paramref name="looks"/>.</summary>
    public static SceneObject[] Place(Dice dice, IReadOnlyList<SceneObject> looks, Relation? relation)
    {
        var objects = looks.ToArray();
        switch (objects.Length, relation)
        {
            case (1, _):
                var extent = objects[0].Size switch
                {
                    ObjectSize.Small => dice.Range(0.34f, 0.4f),
                    ObjectSize.Large => dice.Range(0.68f, 0.78f),
                    _ => dice.Range(0.48f, 0.6f),
                };
                var room = 0.5f - ((extent + Detail(objects[0], 0.1f)) / 2);
                objects[0] = Stand(
                    dice,
                    objects[0],
                    extent + Detail(objects[0], 0.1f),
                    0.5f + dice.Range(-room, room),
                    Ground + dice.Range(0, 0.1f)
                );
                break;

            case (2, Relation.LeftOf or Relation.RightOf):
                var (left, right) = (dice.Range(0.22f, 0.28f), dice.Range(0.72f, 0.78f));
                var (first, second) = relation == Relation.LeftOf ? (left, right) : (right, left);
                objects[0] = Stand(dice, objects[0], Pair(dice, objects[0]), first, Ground + dice.Range(-0.02f, 0.1f));
                objects[1] = Stand(dice, objects[1], Pair(dice, objects[1]), second, Ground + dice.Range(-0.02f, 0.1f));
                break;

            case (2, Relation.On):
                var middle = dice.Range(0.32f, 0.68f);
                objects[1] = Stand(
                    dice,
                    objects[1] with
                    {
                        Size = ObjectSize.Medium,
                    },
                    dice.Range(0.42f, 0.48f),
                    middle,
                    Ground + dice.Range(0.06f, 0.13f)
                ) with
                {
                    Tilt = 0,
                };
                objects[0] = Stand(
                    dice,
                    objects[0] with
                    {
                        Size = ObjectSize.Medium,
                    },
                    dice.Range(0.34f, 0.4f),
                    middle + dice.Range(-0.03f, 0.03f),
                    objects[1].Top + 0.012f
                );
                break;

            case (2, _):
                var (back, front) = relation == Relation.Behind ? (0, 1) : (1, 0);
                var side = dice.Chance(0.5f) ? 1 : -1;
                var centre = 0.5f + dice.Range(-0.06f, 0.06f);
                objects[back] = Stand(
                    dice,
                    objects[back],
                    Pair(dice, objects[back]) + 0.12f,
                    centre - (side * dice.Range(0.09f, 0.12f)),
                    Ground - dice.Range(0.02f, 0.06f)
                );
                objects[front] = Stand(
                    dice,
                    objects[front],
                    Pair(dice, objects[front]),
                    centre + (side * dice.Range(0.11f, 0.15f)),
                    Ground + dice.Range(0.1f, 0.14f)
                );
                break;

            default:
                float[] thirds = [0.19f, 0.5f, 0.81f];
                for (var i = 0; i < objects.Length; i++)
                {
                    objects[i] = Stand(
                        dice,
                        objects[i] with
                        {
                            Size = ObjectSize.Medium,
                        },
                        dice.Range(0.3f, 0.34f),
                        thirds[i] + dice.Range(-0.02f, 0.02f),
                        Ground + dice.Range(-0.03f, 0.1f)
                    );
                }

                break;
        }

        return objects;
    }

    /// <summary>Half of the designs have a name, half are new; a quarter are changed by a modifier.</summary>
    public static SceneObject Design(Dice dice)
    {
        var named = dice.Int(DesignNames.All.Count);
        var (design, name) = dice.Chance(0.5f)
            ? (Designs.Design.Named(named), DesignNames.All[named])
            : (Designs.Design.Sample(dice), null);
        var modifier = dice.Chance(0.25f) ? DesignModifier.Sample(dice, design) : null;
        return SceneObject.Of(
            new DesignedObject(design, name, modifier),
            dice.Chance(0.5f) ? ObjectSize.Medium : dice.Pick<ObjectSize>()
        );
    }

    /// <summary>A shape of the catalogue with a colour, a pattern and a size.</summary>
    public static SceneObject Look(Dice dice, Shape shape) =>
        new(
            shape,
            dice.Pick(ObjectColour.All),
            dice.Chance(0.4f) ? Pattern.Plain : dice.Pick<Pattern>(),
            dice.Chance(0.5f) ? ObjectSize.Medium : dice.Pick<ObjectSize>(),
            0,
            0,
            0,
            0
        );

    // Designs have more to show than shapes of the catalogue.
    private static float Detail(SceneObject o, float extent) => o.Designed is null ? 0 : extent;

    private static float Pair(Dice dice, SceneObject o) =>
        Detail(o, 0.06f)
        + o.Size switch
        {
            ObjectSize.Small => dice.Range(0.29f, 0.33f),
            ObjectSize.Large => dice.Range(0.46f, 0.5f),
            _ => dice.Range(0.36f, 0.42f),
        };

    private static SceneObject Stand(Dice dice, SceneObject o, float extent, float x, float foot) =>
        o with
        {
            Extent = extent,
            X = x,
            Foot = foot,
            Tilt = dice.Range(-6, 6),
        };
}

/// <summary>The bounds of shapes in their boxes.</summary>
internal static class ShapeBounds
{
    public static SKRect Of(Shape shape)
    {
        var bounds = shape.Parts[0].Path.TightBounds;
        foreach (var part in shape.Parts)
        {
            bounds.Union(part.Path.TightBounds);
        }

        return bounds;
    }
}
