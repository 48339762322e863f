using System.Globalization;
using Dti.Engine.Imaging;
using Dti.Samples;

CultureInfo.CurrentCulture = CultureInfo.DefaultThreadCurrentCulture = CultureInfo.InvariantCulture;

// dotnet run --project tools/Dti.Samples -c Release [-- FOLDER [part of a name]]
var folder = args.Length > 0 ? args[0] : "samples";
var only = args.Length > 1 ? args[1] : "";
foreach (var shot in Shots.All.Where(shot => shot.File.Contains(only, StringComparison.Ordinal)))
{
    var path = Path.Combine(folder, shot.File);
    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
    var format = Path.GetExtension(path) == ".png" ? ImageFormat.Png : ImageFormat.Jpeg;
    var file = ImageCodec.Encode(Renderer.Draw(shot), format, quality: 86);
    File.WriteAllBytes(path, file);
    Console.WriteLine(
        string.Create(CultureInfo.InvariantCulture, $"{path}  {shot.Width} × {shot.Height}  {file.Length:N0} bytes")
    );
}
