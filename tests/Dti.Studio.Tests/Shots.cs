using Microsoft.Playwright;
using SkiaSharp;

namespace Dti.Studio.Tests;

/// <summary>
/// The screenshots of the documentation. With the variable <c>STUDIO_SHOTS</c>, a folder, the tests train for as long
/// as a user would and write them there.
/// </summary>
internal static class Shots
{
    public static string? Folder { get; } =
        Environment.GetEnvironmentVariable("STUDIO_SHOTS") is { Length: > 0 } folder ? folder : null;

    /// <summary>A number that a test needs, or its value for the documentation.</summary>
    public static int Number(int test, int documentation) => Folder is null ? test : documentation;

    public static async Task TakeAsync(IPage page, string name)
    {
        if (Folder is not null)
        {
            using var shot = SKBitmap.Decode(await page.ScreenshotAsync(new() { FullPage = true }));
            using var file = File.Create(Path.Combine(Folder, name + ".webp"));
            shot.Encode(file, SKEncodedImageFormat.Webp, 90);
        }
    }
}
