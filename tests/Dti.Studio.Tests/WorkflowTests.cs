using System.Text;
using Dti.ClientSdk;
using Microsoft.Playwright;
using SkiaSharp;
using static Microsoft.Playwright.Assertions;

namespace Dti.Studio.Tests;

/// <summary>What an image maker does on the page, in a browser.</summary>
public class WorkflowTests(StudioFixture studio)
{
    [Fact]
    public async Task Train_DroppedPhotos_IsWatchedAndItsConceptExported()
    {
        await using var tab = await studio.OpenAsync(place: "train");
        var page = tab.Page;
        await DropAsync(page, StudioServer.PhotoFiles("melon-bird"));
        await Expect(page.Locator("button.photo")).ToHaveCountAsync(5);
        await tab.Field("Name").FillAsync("my-bird");
        await tab.Field("What is it?").FillAsync("bird");
        await page.GetByRole(AriaRole.Radio, new() { Name = "Fast" }).CheckAsync();
        await tab.Field("Likeness or obedience").FillAsync("0.6");
        await Shots.TakeAsync(page, "studio-train");
        await page.GetByText("More settings").ClickAsync();
        await tab.Field("Steps").FillAsync($"{Shots.Number(4, 100)}");
        await tab.Field("Photos of a batch").FillAsync($"{Shots.Number(1, 4)}");
        await tab.Field("Seed").FillAsync("1");
        await tab.Field("Preview every … steps").FillAsync($"{Shots.Number(4, 20)}");
        if (Shots.Folder is null)
        {
            await tab.Field("Preview before the first step too").UncheckAsync();
        }

        await tab.Button("Train").ClickAsync();

        await page.GetByText("<my-bird> is in the library.").WaitForAsync();
        await Shots.TakeAsync(page, "studio-training");
        await Expect(
                page.GetByRole(AriaRole.Img, new() { NameRegex = new($"^Loss: .* in {Shots.Number(4, 100)} steps$") })
            )
            .ToBeVisibleAsync();
        await Expect(page.Locator("section .strip img").Last).ToBeVisibleAsync();
        await Expect(page.Locator("progress").First).ToHaveJSPropertyAsync("value", Shots.Number(4, 100));

        await page.GetByRole(AriaRole.Link, new() { Name = "Look at the concept" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "<my-bird>" })).ToBeVisibleAsync();
        await Expect(page.GetByAltText("Photo 5")).ToBeVisibleAsync(); // this browser has sent them
        await Expect(page.Locator(".nearest li").First).ToContainTextAsync("bird");
        var downloading = page.WaitForDownloadAsync();
        await tab.Button("A1111 and ComfyUI file").ClickAsync();
        var download = await downloading;
        Assert.Equal("my-bird.safetensors", download.SuggestedFilename);
        var exported = await studio.Server.Client.ExportConceptAsync("my-bird", ConceptFormat.WebUi);
        Assert.Equal(exported.Data.ToArray(), await File.ReadAllBytesAsync(await download.PathAsync()));
        if (Shots.Folder is not null)
        {
            await tab.Button("Compare").ClickAsync();
            await Expect(page.Locator(".compare img")).ToHaveCountAsync(6);
            await Shots.TakeAsync(page, "studio-concept");
        }
    }

    [Fact]
    public async Task Train_MaskAndCaptionBesideAPhoto_AreSentWithIt()
    {
        await using var tab = await studio.OpenAsync(place: "train");
        var page = tab.Page;
        var folder = Directory.CreateTempSubdirectory("dti-studio-photos-");
        var photo = StudioServer.PhotoFiles("eared-robot").First();
        File.Copy(photo, Path.Combine(folder.FullName, "1.jpg"));
        using (var decoded = SKBitmap.Decode(photo))
        using (var mask = new SKBitmap(decoded.Width, decoded.Height))
        using (var file = File.Create(Path.Combine(folder.FullName, "1-mask.png")))
        {
            mask.Erase(SKColors.White);
            mask.Encode(file, SKEncodedImageFormat.Png, 100);
        }

        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "1.txt"), "a {concept} on a shelf");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "2.heic"), "");
        await File.WriteAllTextAsync(Path.Combine(folder.FullName, "3.png"), "no image");
        await DropAsync(page, Directory.GetFiles(folder.FullName).Order(StringComparer.Ordinal));
        folder.Delete(recursive: true);

        await Expect(page.GetByText("2.heic cannot be decoded by the server. Save it as JPEG or PNG."))
            .ToBeVisibleAsync();
        await Expect(page.GetByText("3.png is no JPEG, PNG, WebP, BMP or GIF file")).ToBeVisibleAsync();
        await page.Locator("button.photo").ClickAsync();
        await Expect(tab.Field("Caption")).ToHaveValueAsync("a {concept} on a shelf");
        await Expect(page.GetByAltText("Its mask: only the white part is learnt")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        var sent = page.WaitForRequestAsync("**/dti.v1.DtiService/Train");
        await tab.Field("Name").FillAsync("shelved");
        await page.GetByText("More settings").ClickAsync();
        await tab.Field("Steps").FillAsync("1");
        await tab.Field("Photos of a batch").FillAsync("1");
        await tab.Field("Preview before the first step too").UncheckAsync();
        await tab.Button("Train").ClickAsync();

        await page.GetByText("<shelved> is in the library.").WaitForAsync();
        var body = (await sent).PostDataBuffer!;
        Assert.Contains("a {concept} on a shelf", Encoding.UTF8.GetString(body), StringComparison.Ordinal);
        Assert.Equal(1, Count(body, [0xFF, 0xD8, 0xFF])); // the photo
        Assert.Equal(1, Count(body, [0x89, 0x50, 0x4E, 0x47])); // its mask
    }

    [Fact]
    public async Task Generate_ConceptCompletedInThePrompt_GivesTheServersImageWithItsSettings()
    {
        await using var tab = await studio.OpenAsync(place: "generate");
        var page = tab.Page;
        await tab.Field("Prompt").PressSequentiallyAsync("a photo of <mel");
        await Expect(page.Locator(".completions [role=option]")).ToHaveTextAsync(["<melon-bird>"]);
        await page.Keyboard.PressAsync("Enter");
        await Expect(tab.Field("Prompt")).ToHaveValueAsync("a photo of <melon-bird>");
        await Expect(tab.Field("Steps")).ToHaveAttributeAsync("max", "1000"); // as the contract declares
        await Expect(tab.Field("Steps")).ToHaveAttributeAsync("placeholder", "30");
        await tab.Field("Steps").FillAsync($"{Shots.Number(2, 30)}");
        await tab.Field("Seed").FillAsync("9007199254740993"); // more than a JavaScript number holds
        await tab.Field("Images").FillAsync($"{Shots.Number(1, 6)}");
        await page.Keyboard.PressAsync("Control+Enter");

        var tile = page.Locator(".gallery button.tile").First;
        await tile.WaitForAsync();
        await Expect(tab.Button("Generate")).ToBeVisibleAsync();
        await Shots.TakeAsync(page, "studio-generate");
        await tile.ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("9007199254740993");
        await Expect(dialog).ToContainTextAsync("dti-mini");
        var downloading = page.WaitForDownloadAsync();
        await tab.Button("Download").ClickAsync();
        var shown = await File.ReadAllBytesAsync(await (await downloading).PathAsync());
        if (Shots.Folder is null)
        {
            Assert.Equal(await GenerateImagesAsync("a photo of <melon-bird>", 2, 9007199254740993), shown);
        }

        await page.Keyboard.PressAsync("Escape");
        await page.ReloadAsync(); // the gallery comes from the server's jobs
        await Expect(page.Locator(".gallery button.tile").First).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Generate_UnknownConcept_ShowsTheServersSentence()
    {
        await using var tab = await studio.OpenAsync(place: "generate");
        await tab.Field("Prompt").FillAsync("embedding:melon-bir");
        await tab.Button("Generate").ClickAsync();

        var refused = await Assert.ThrowsAsync<DtiClientException>(() =>
            GenerateImagesAsync("embedding:melon-bir", 1, 1)
        );
        await Expect(tab.Page.GetByRole(AriaRole.Alert).Filter(new() { HasText = refused.Message })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Blend_TwoConcepts_GivesTheStripAndAnAnimation()
    {
        await using var tab = await studio.OpenAsync(place: "blend");
        var page = tab.Page;
        var frames = Shots.Number(3, 7);
        await tab.Field("From").SelectOptionAsync(StudioFixture.First);
        await tab.Field("To").SelectOptionAsync(StudioFixture.Second);
        await tab.Field("Images").FillAsync($"{frames}");
        await tab.Field("Steps").FillAsync($"{Shots.Number(1, 30)}");
        await tab.Field("Seed").FillAsync("3");
        await tab.Button("Blend").ClickAsync();

        await Expect(page.Locator(".strip button")).ToHaveCountAsync(frames);
        await Expect(tab.Button("Blend")).ToBeVisibleAsync();
        await tab.Field("Position").FillAsync($"{frames / 2}");
        await Expect(page.Locator(".strip button").Nth(frames / 2)).ToHaveAttributeAsync("aria-pressed", "true");
        await Shots.TakeAsync(page, "studio-blend");
        foreach (var format in new[] { "GIF", "WebP" })
        {
            var animation = await DownloadAsync(format);
            Assert.Equal((2 * frames) - 2, await FramesAsync(animation, $"image/{format.ToLowerInvariant()}"));
        }

        // Not every build of Chromium records MP4. The page offers it where the browser does.
        var records = await page.EvaluateAsync<bool>("MediaRecorder.isTypeSupported('video/mp4')");
        await Expect(tab.Button("Download MP4")).ToHaveCountAsync(records ? 1 : 0);
        if (records)
            Assert.Equal("ftyp"u8.ToArray(), (await DownloadAsync("MP4"))[4..8]);

        async Task<byte[]> DownloadAsync(string format)
        {
            var downloading = page.WaitForDownloadAsync();
            await tab.Button($"Download {format}").ClickAsync();
            var download = await downloading;
            Assert.Equal(
                $"{StudioFixture.First}-to-{StudioFixture.Second}.{format.ToLowerInvariant()}",
                download.SuggestedFilename
            );
            return await File.ReadAllBytesAsync(await download.PathAsync());
        }

        // There and back again, as the browser decodes them.
        Task<int> FramesAsync(byte[] file, string type) =>
            page.EvaluateAsync<int>(
                """
                async ([file, type]) => {
                  const decoder = new ImageDecoder({ data: Uint8Array.from(atob(file), c => c.charCodeAt(0)), type });
                  await Promise.all([decoder.completed, decoder.tracks.ready]);
                  const count = decoder.tracks.selectedTrack.frameCount;
                  await decoder.decode({ frameIndex: count - 1 });
                  return count;
                }
                """,
                new[] { Convert.ToBase64String(file), type }
            );
    }

    /// <summary>How often some bytes are in others.</summary>
    private static int Count(byte[] bytes, byte[] searched) =>
        Enumerable
            .Range(0, bytes.Length - searched.Length + 1)
            .Count(i => bytes.AsSpan(i, searched.Length).SequenceEqual(searched));

    /// <summary>Drops files from outside of the browser.</summary>
    private static async Task DropAsync(IPage page, IEnumerable<string> files)
    {
        var contents = files.Select(file => new
        {
            name = Path.GetFileName(file),
            data = Convert.ToBase64String(File.ReadAllBytes(file)),
        });
        var transfer = await page.EvaluateHandleAsync(
            """
            files => {
              const transfer = new DataTransfer();
              for (const { name, data } of files)
                transfer.items.add(new File([Uint8Array.from(atob(data), char => char.charCodeAt(0))], name));
              return transfer;
            }
            """,
            contents
        );
        await page.DispatchEventAsync(".drop", "drop", new { dataTransfer = transfer });
    }

    private async Task<byte[]> GenerateImagesAsync(string prompt, int steps, ulong seed)
    {
        await foreach (
            var update in studio.Server.Client.GenerateAsync(
                new GenerationOptions
                {
                    Prompt = prompt,
                    Steps = steps,
                    Seed = seed,
                    PreviewEvery = 1, // as the page asks, and as the image says
                }
            )
        )
        {
            if (update is GeneratedPicture { Picture: var picture })
            {
                return picture.Data.ToArray();
            }
        }

        throw new InvalidOperationException("No image came.");
    }
}
