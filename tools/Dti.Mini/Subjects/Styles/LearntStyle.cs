using Dti.Mini.World;
using Dti.Mini.World.Styles;
using SkiaSharp;

namespace Dti.Mini.Subjects.Styles;

/// <summary>A rendering style that is not in the world that dti-mini learnt from, to be learnt as a concept.</summary>
/// <param name="Name">Of the concept: <c>stained-glass</c>.</param>
/// <param name="Initializer">The nearest word that the model knows.</param>
/// <param name="Painter">Paints in it.</param>
internal sealed record LearntStyle(string Name, string Initializer, Func<SKCanvas, Scene, Painter> Painter)
{
    private const int Count = 5;

    public static IReadOnlyList<LearntStyle> All { get; } =
    [
        new("blueprint", "drawing", (canvas, scene) => new BlueprintPainter(canvas, scene)),
        new("stained-glass", "painting", (canvas, scene) => new StainedGlassPainter(canvas, scene)),
        new("chalkboard", "sketch", (canvas, scene) => new ChalkPainter(canvas, scene)),
        new("duotone-print", "illustration", (canvas, scene) => new DuotonePainter(canvas, scene)),
        new("cross-stitch", "pattern", (canvas, scene) => new CrossStitchPainter(canvas, scene)),
        new("linocut", "ink", (canvas, scene) => new LinocutPainter(canvas, scene)),
        new("mosaic", "pixels", (canvas, scene) => new MosaicPainter(canvas, scene)),
        new("paper-cut", "poster", (canvas, scene) => new PaperCutPainter(canvas, scene)),
    ];

    /// <summary>The scenes of the pictures: five of the world, each of other things in another place.</summary>
    public static IEnumerable<Scene> Scenes()
    {
        var places = new HashSet<Place>();
        for (var index = 0; places.Count < Count; index++)
        {
            var scene = Scene.Sample(88, index);
            if (
                scene.Objects.Count == (places.Count % 2) + 1
                && scene.Lighting == Lighting.Day
                && places.Add(scene.Place)
            )
            {
                yield return scene with
                {
                    Style = Style.Flat,
                };
            }
        }
    }

    /// <summary>Its pictures, one of each of the scenes; (128, 128, 3) bytes.</summary>
    public IEnumerable<byte[]> Pictures() =>
        Scenes()
            .Select(scene =>
            {
                var pixels = new byte[SceneRenderer.Bytes];
                SceneRenderer.Render(scene, Painter, pixels);
                return pixels;
            });
}
