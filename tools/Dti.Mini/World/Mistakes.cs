using Dti.Mini.World.Shapes;

namespace Dti.Mini.World;

/// <summary>
/// Scenes with one thing wrong: what a contrastive model must tell from the right one to learn what belongs to what.
/// </summary>
internal static class Mistakes
{
    /// <summary>The scene with one attribute changed or swapped.</summary>
    public static Scene Make(Scene scene, Dice dice)
    {
        var objects = scene.Objects.ToArray();
        var which = dice.Int(objects.Length);
        var o = objects[which];
        var roll = dice.Int(objects.Length > 1 ? 9 : 6);
        switch (roll)
        {
            case 0:
                return scene with { Place = Other(scene.Place, dice) };
            case 1:
                return scene with { Style = Other(scene.Style, dice) };
            case 2 or 3:
                objects[which] = o with { Colour = Other(o.Colour, ObjectColour.All, dice) };
                break;
            case 4:
                objects[which] = o with { Pattern = Other(o.Pattern, dice) };
                break;
            case 5:
                objects[which] = o with { Shape = Other(o.Shape, ShapeCatalogue.All, dice) };
                break;
            case 6 when objects[0].Colour != objects[1].Colour:
                (objects[0], objects[1]) = (
                    objects[0] with
                    {
                        Colour = objects[1].Colour,
                    },
                    objects[1] with
                    {
                        Colour = objects[0].Colour,
                    }
                );
                break;
            case 7 when scene.Relation is { } relation:
                return scene with { Relation = Other(relation, dice) };
            default:
                (objects[0], objects[1]) = (objects[1], objects[0]); // who is where
                break;
        }

        return scene with
        {
            Objects = objects,
        };
    }

    private static T Other<T>(T not, IReadOnlyList<T> all, Dice dice) =>
        dice.Pick([.. all.Where(item => !Equals(item, not))]);

    private static T Other<T>(T not, Dice dice)
        where T : struct, Enum => Other(not, Enum.GetValues<T>(), dice);
}
