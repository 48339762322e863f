using Dti.Mini.World;
using Dti.Mini.World.Shapes;

namespace Dti.Mini.Tests;

public class WorldTests
{
    [Fact]
    public void Catalogue_IsAsLargeAsPromised()
    {
        Assert.True(ShapeCatalogue.All.Count >= 24);
        Assert.True(Enum.GetValues<Place>().Length >= 10);
        Assert.True(Enum.GetValues<Style>().Length >= 6);
        Assert.Equal(ShapeCatalogue.All.Count, ShapeCatalogue.All.Select(shape => shape.Name).Distinct().Count());
        Assert.Equal(Enumerable.Range(0, ShapeCatalogue.All.Count), ShapeCatalogue.All.Select(ShapeCatalogue.IndexOf));
    }

    [Fact]
    public void Shapes_StayInTheirBoxAndFillIt() => Assert.All(ShapeCatalogue.All, shape =>
        {
            var bounds = ShapeBounds.Of(shape);
            Assert.True(
                bounds.Left >= -1.01 && bounds.Right <= 1.01 && bounds.Top >= -1.01 && bounds.Bottom <= 1.01,
                $"{shape.Name} leaves its box: {bounds}"
            );
            Assert.True(Math.Max(bounds.Width, bounds.Height) > 1.7, $"{shape.Name} is small: {bounds}");
            Assert.InRange(bounds.Bottom, 0.55, 1.01); // it stands on the ground
        });

    [Fact]
    public void Sample_SameSeed_IsTheSameScenePixelForPixel()
    {
        static byte[] Draw(ulong seed, int index)
        {
            var pixels = new byte[SceneRenderer.Bytes];
            SceneRenderer.Render(Scene.Sample(seed, index), pixels);
            return pixels;
        }

        foreach (var index in new[] { 0, 1, 17, 99_999 })
        {
            Assert.Equal(Draw(1, index), Draw(1, index));
            Assert.NotEqual(Draw(1, index), Draw(2, index));
            Assert.NotEqual(Draw(1, index), Draw(1, index + 1));
        }
    }

    [Fact]
    public void Render_EveryStyleAndPlace_DrawsSomethingOfItsOwn()
    {
        var scene = Scene.Sample(3, 4);
        var seen = new HashSet<string>();
        foreach (var style in Enum.GetValues<Style>())
        {
            foreach (var place in Enum.GetValues<Place>())
            {
                var pixels = new byte[SceneRenderer.Bytes];
                SceneRenderer.Render(scene with { Style = style, Place = place }, pixels);
                Assert.True(pixels.Distinct().Count() > 20, $"{style} {place} is nearly empty");
                Assert.True(
                    seen.Add(Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(pixels))),
                    $"{style} {place} looks like another"
                );
            }
        }
    }

    [Fact]
    public void Sample_ManyScenes_ShowsEverythingThatThereIs()
    {
        var scenes = Enumerable.Range(0, 3000).Select(i => Scene.Sample(1, i)).ToArray();

        Assert.Equal(
            ShapeCatalogue.All.Count,
            scenes.SelectMany(scene => scene.Objects).Select(o => o.Shape.Name).Distinct().Count()
        );
        Assert.Equal(
            ObjectColour.All.Count,
            scenes.SelectMany(scene => scene.Objects).Select(o => o.Colour.Name).Distinct().Count()
        );
        Assert.Equal(
            Enum.GetValues<Pattern>().Length,
            scenes.SelectMany(scene => scene.Objects).Select(o => o.Pattern).Distinct().Count()
        );
        Assert.Equal(
            Enum.GetValues<Relation>().Length,
            scenes.Select(scene => scene.Relation).OfType<Relation>().Distinct().Count()
        );
        Assert.Equal([1, 2, 3], scenes.Select(scene => scene.Objects.Count).Distinct().Order());
        Assert.All(scenes, scene => Assert.Equal(scene.Objects.Count == 2, scene.Relation is not null));
        Assert.All(scenes, scene =>
            Assert.Equal(scene.Objects.Count, scene.Objects.Select(o => o.Shape).Distinct().Count())
        );
    }

    [Fact]
    public void Layout_Relations_HoldInThePicture() =>
        Assert.All(
            Enumerable.Range(0, 3000).Select(i => Scene.Sample(5, i)).Where(scene => scene.Relation is not null),
            scene =>
            {
                var (first, second) = (scene.Objects[0], scene.Objects[1]);
                var order = scene.BackToFront.ToList();
                switch (scene.Relation)
                {
                    case Relation.LeftOf:
                        Assert.True(first.X + 0.3 < second.X);
                        break;
                    case Relation.RightOf:
                        Assert.True(first.X > second.X + 0.3);
                        break;
                    case Relation.On:
                        Assert.Equal(second.Top, first.Foot, 0.02);
                        Assert.Equal(second.X, first.X, 0.05);
                        break;
                    case Relation.Behind:
                        Assert.True(first.Foot < second.Foot && order.IndexOf(first) < order.IndexOf(second));
                        break;
                    default:
                        Assert.True(first.Foot > second.Foot && order.IndexOf(first) > order.IndexOf(second));
                        break;
                }
            }
        );

    [Fact]
    public void Mistakes_Always_ChangeTheScene() =>
        Assert.All(Enumerable.Range(0, 1000), i =>
            Assert.NotEqual(
                Describe(Scene.Sample(1, i)),
                Describe(Mistakes.Make(Scene.Sample(1, i), new Dice(2, (ulong)i)))
            )
        );

    private static string Describe(Scene scene) =>
        $"{scene.Place} {scene.Style} {scene.Relation} {string.Join(", ", scene.Objects.Select(o => $"{o.Colour.Name} {o.Pattern} {o.Shape.Name}"))}";
}
