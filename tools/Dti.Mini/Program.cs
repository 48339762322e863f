using System.Diagnostics;
using Dti.Engine.Imaging;
using Dti.Mini.World;
using Dti.Mini.World.Shapes;

static RgbImage Sheet(int columns, IEnumerable<Scene> scenes, bool captions = false)
{
    var list = scenes.ToList();
    var rows = (list.Count + columns - 1) / columns;
    var s = SceneRenderer.Side;
    var pixels = new byte[columns * rows * SceneRenderer.Bytes];
    var one = new byte[SceneRenderer.Bytes];
    for (var i = 0; i < list.Count; i++)
    {
        SceneRenderer.Render(list[i], one);
        if (captions) Console.WriteLine($"{i}: {Captions.Say(list[i], new Dice(5, (ulong)i))}");
        for (var y = 0; y < s; y++)
        {
            one.AsSpan(3 * y * s, 3 * s).CopyTo(pixels.AsSpan(3 * ((((i / columns * s) + y) * columns * s) + (i % columns * s))));
        }
    }
    return new RgbImage(columns * s, rows * s, pixels);
}
var o = args[0];
Directory.CreateDirectory(o);
File.WriteAllBytes(o + "/scenes.png", ImageCodec.Encode(Sheet(10, Enumerable.Range(0, 80).Select(i => Scene.Sample(1, i)), true), ImageFormat.Png));
var plain = Scene.Sample(1, 0);
File.WriteAllBytes(o + "/shapes.png", ImageCodec.Encode(Sheet(10, ShapeCatalogue.All.SelectMany((shape, i) => new[] { Style.Photo, Style.Ink }.Select(st => plain with { Style = st, Lighting = Lighting.Day, Place = Place.Snow, Relation = null, Objects = [new SceneObject(shape, ObjectColour.All[i % 10], (Pattern)(i % 4), ObjectSize.Large, 0.5f, 0.9f, 0.75f, 0)] }))), ImageFormat.Png));
File.WriteAllBytes(o + "/places.png", ImageCodec.Encode(Sheet(7, Enum.GetValues<Place>().SelectMany(p => Enum.GetValues<Style>().Select(st => Scene.Sample(1, (int)p + 7 * (int)st) with { Style = st, Place = p, Lighting = Lighting.Day }))), ImageFormat.Png));
var w = Stopwatch.StartNew();
var b = new byte[SceneRenderer.Bytes];
for (var i = 0; i < 1000; i++) SceneRenderer.Render(Scene.Sample(2, i), b);
Console.WriteLine($"{w.Elapsed.TotalMilliseconds / 1000:F2} ms a picture");
