using System.Text.Json;
using Dti.Mini.World;

namespace Dti.Mini.Sheets;

/// <summary>The curves of all stages, from what their training logged.</summary>
internal static class TrainingCurves
{
    private static readonly (string Stage, string Title, string[] Values)[] _panels =
    [
        ("vae", "PSNR of held-out pictures, dB", ["eval_psnr"]),
        ("unet-4", "mean squared error of v", ["error", "eval_error"]),
        ("photo-encoder", "cosine with the direction", ["eval_photo", "eval_five_photos"]),
    ];

    /// <summary>Takes over the curves of a work folder, and draws all stages whose curves are there.</summary>
    public static void Write(string folder)
    {
        Directory.CreateDirectory(MiniWorld.MeasuredFolder);
        foreach (var (stage, _, _) in _panels)
        {
            var logged = Path.Combine(folder, stage + ".curve.jsonl");
            if (File.Exists(logged))
            {
                File.Copy(logged, CurveFile(stage), overwrite: true);
            }
        }

        Graph.Write(
            Path.Combine(MiniWorld.ImageFolder, "dti-mini-curves.webp"),
            [
                .. _panels
                    .Where(panel => File.Exists(CurveFile(panel.Stage)))
                    .Select(panel =>
                        Graph.Of(
                            $"{panel.Stage}: steps",
                            panel.Title,
                            panel.Values.Select(value => Curve(panel.Stage, value))
                        )
                    ),
            ]
        );
    }

    private static string CurveFile(string stage) => Path.Combine(MiniWorld.MeasuredFolder, stage + ".curve.jsonl");

    private static Series Curve(string stage, string value)
    {
        var points = File.ReadLines(CurveFile(stage))
            .Select(line => JsonDocument.Parse(line).RootElement)
            .Where(point => point.TryGetProperty(value, out _))
            .ToArray();
        return new Series(
            value.Replace("eval_", "held-out ", StringComparison.Ordinal),
            [.. points.Select(point => point.GetProperty("step").GetDouble())],
            [.. points.Select(point => point.GetProperty(value).GetDouble())]
        );
    }
}
