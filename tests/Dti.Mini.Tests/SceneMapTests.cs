using System.Numerics;
using Dti.Mini.World;

namespace Dti.Mini.Tests;

public class SceneMapTests
{
    [Fact]
    public void Of_Scenes_SeesObjectsWhereTheyArePainted()
    {
        var (told, right) = (0, 0);
        foreach (
            var scene in Enumerable
                .Range(0, 200)
                .Select(i => Scene.Sample(1, i) with { Style = Style.Flat, Lighting = Lighting.Day })
        )
        {
            var (with, without) = (Render(scene), Render(scene with { Objects = [], Relation = null }));
            foreach (var (i, cell) in SceneMap.Of(scene, 16).Index())
            {
                var pixel = 3 * ((((i / 16 * 8) + 4) * SceneRenderer.Side) + (i % 16 * 8) + 4);
                var painted = Enumerable.Range(pixel, 3).Any(at => with[at] != without[at]);
                told++;
                right += painted == cell is not null ? 1 : 0;
            }
        }

        Assert.True(right > 0.98 * told, $"{right} of {told}"); // edges fall on either side, shadows are no objects
    }

    [Fact]
    public void Of_ObjectBehindAnother_SeesTheForemost()
    {
        var scene = Enumerable
            .Range(0, 1000)
            .Select(i => Scene.Sample(1, i))
            .First(scene => scene.Relation == Relation.Behind);
        scene = scene with
        {
            Objects =
            [
                scene.Objects[0],
                scene.Objects[1] with
                {
                    Shape = scene.Objects[0].Shape,
                    X = scene.Objects[0].X,
                    Foot = scene.Objects[0].Foot,
                    Extent = scene.Objects[0].Extent,
                    Tilt = scene.Objects[0].Tilt,
                },
            ],
        };

        var seen = SceneMap.Of(scene, 16).OfType<ObjectCell>().ToArray();

        Assert.NotEmpty(seen);
        Assert.All(seen, cell => Assert.Same(scene.Objects[1], cell.Object));
    }

    [Fact]
    public void Of_UprightObject_SaysWhereInItsBoxACellLies()
    {
        var scene = Enumerable
            .Range(0, 10_000)
            .Select(i => Scene.Sample(1, i))
            .First(scene => scene.Objects.Count == 1 && scene.Objects[0].Shape.Name == "ball");
        scene = scene with
        {
            Objects = [scene.Objects[0] with { X = 0.5f, Foot = 0.75f, Extent = 0.5f, Tilt = 0 }],
            Camera = new Camera(0, 1, 0, 0),
        };

        var cell = SceneMap.Of(scene, 16)[(10 * 16) + 8];

        Assert.NotNull(cell);
        Assert.Equal(new Vector2(0.125f, 0.625f), cell.Value.At);
    }

    private static byte[] Render(Scene scene)
    {
        var pixels = new byte[SceneRenderer.Bytes];
        SceneRenderer.Render(scene, pixels);
        return pixels;
    }
}
