using Dti.Tests;
using SkiaSharp;

namespace Dti.Cli.Tests;

public class WorkflowTests(ServeFixture server)
{
    private static readonly string[] _quickTraining =
    [
        .. QuickTraining.Options(steps: 3, previewEvery: 3),
        "--preview-steps",
        "1",
    ];

    private static readonly string[] _quickPicture = ["--steps", "2", "--width", "64", "--height", "64", "--seed", "5"];

    private static string Photo => Fixtures.Common("preprocess_square.png");

    [Fact]
    public async Task TrainGenerateInterpolate_Json_WritesFilesAndSaysWhere()
    {
        var folder = server.NewFolder();
        foreach (var name in new[] { "flow-a", "flow-b" })
        {
            var trained = await server.RunAsync(
                folder,
                ["train", name, Photo, .. _quickTraining, "--previews", "previews", "--json"]
            );
            Assert.Equal((ExitCode.Ok, ""), (trained.ExitCode, trained.Error));
            Assert.Equal(
                "cat",
                trained.Event("accepted").GetProperty("settings").GetProperty("initializer").GetString()
            );
            Assert.Equal([1, 2, 3], trained.EventsOf("progress").Select(step => step.GetProperty("step").GetInt32()));
            Assert.True(File.Exists(Path.Combine(folder, trained.Event("preview").GetProperty("path").GetString()!)));
            Assert.Equal($"<{name}>", trained.Event("result").GetProperty("placeholder").GetString());
        }

        var generated = await server.RunAsync(
            folder,
            ["generate", "a photo of <flow-a>", "-n", "2", "-o", "out.jpg", .. _quickPicture, "--json"]
        );
        Assert.Equal((ExitCode.Ok, ""), (generated.ExitCode, generated.Error));
        Assert.Equal(
            ["out-1.jpg", "out-2.jpg"],
            generated.EventsOf("picture").Select(picture => picture.GetProperty("path").GetString())
        );
        Assert.Equal((64, 64), SizeOf(Path.Combine(folder, "out-1.jpg")));

        var between = await server.RunAsync(
            folder,
            [
                "interpolate",
                "flow-a",
                "flow-b",
                "--frames",
                "3",
                "--easing",
                "smooth",
                "-o",
                "between",
                "--gif",
                "--webp",
                .. _quickPicture,
                "--json",
            ]
        );
        Assert.Equal((ExitCode.Ok, ""), (between.ExitCode, between.Error));
        Assert.Equal([0, 0.5, 1], between.EventsOf("picture").Select(picture => picture.GetProperty("t").GetDouble()));
        Assert.Equal((192, 64), SizeOf(Path.Combine(folder, between.Event("strip").GetProperty("path").GetString()!)));
        Assert.Equal((64, 64), SizeOf(Path.Combine(folder, "between", "frame-003.png")));
        Assert.Equal(
            [Path.Combine("between", "animation.gif"), Path.Combine("between", "animation.webp")],
            between.EventsOf("animation").Select(animation => animation.GetProperty("path").GetString())
        );
        foreach (var animation in between.EventsOf("animation"))
        {
            using var codec = SKCodec.Create(Path.Combine(folder, animation.GetProperty("path").GetString()!));
            Assert.Equal(4, codec.FrameCount); // there and back again
        }

        var again = await server.RunAsync(
            folder,
            ["interpolate", "flow-a", "flow-b", "--frames", "3", "-o", "between", .. _quickPicture]
        );
        Assert.Equal(ExitCode.Usage, again.ExitCode);
        Assert.Contains("--force", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_ResumeWithMoreSteps_GoesOn()
    {
        var folder = server.NewFolder();
        Directory.CreateDirectory(Path.Combine(folder, "photos"));
        File.Copy(Photo, Path.Combine(folder, "photos", "one.png"));
        File.Copy(Photo, Path.Combine(folder, "photos", "one-mask.png"));
        await File.WriteAllTextAsync(
            Path.Combine(folder, "photos", "one.txt"),
            "a cat in a box\n",
            TestContext.Current.CancellationToken
        );
        await File.WriteAllTextAsync(
            Path.Combine(folder, "prompts.txt"),
            "# mine\na drawing of {concept}\n\n",
            TestContext.Current.CancellationToken
        );

        var trained = await server.RunAsync(
            folder,
            ["train", "longer", "photos", .. _quickTraining, "--templates", "prompts.txt", "--json"]
        );
        var further = await server.RunAsync(
            folder,
            "train",
            "longer",
            "--resume",
            "--steps",
            "5",
            "--preview-every",
            "0",
            "--json"
        );
        var nothing = await server.RunAsync(folder, "train", "longer");
        var misspelt = await server.RunAsync(folder, "train", "longest", "--resume");

        Assert.Equal((ExitCode.Ok, ""), (trained.ExitCode, trained.Error));
        Assert.Equal(1, trained.Event("accepted").GetProperty("photo_count").GetInt32()); // the mask is none
        Assert.Equal((ExitCode.Ok, ""), (further.ExitCode, further.Error));
        Assert.Equal(3, further.Event("accepted").GetProperty("steps_done").GetInt32());
        Assert.Equal([4, 5], further.EventsOf("progress").Select(step => step.GetProperty("step").GetInt32()));
        Assert.Equal(ExitCode.Usage, nothing.ExitCode);
        Assert.Contains("--resume", nothing.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.NotFound, misspelt.ExitCode);
    }

    [Fact]
    public async Task Generate_Twice_KeepsTheFirstPicture()
    {
        var folder = server.NewFolder();

        var first = await server.RunAsync(folder, ["generate", "a photo", .. _quickPicture]);
        var second = await server.RunAsync(folder, ["generate", "a photo", .. _quickPicture]);

        Assert.Equal((ExitCode.Ok, ExitCode.Ok), (first.ExitCode, second.ExitCode));
        Assert.Contains("image a-photo.png", first.Output, StringComparison.Ordinal);
        Assert.Contains("image a-photo-2.png", second.Output, StringComparison.Ordinal);
        Assert.Equal(
            await File.ReadAllBytesAsync(Path.Combine(folder, "a-photo.png"), TestContext.Current.CancellationToken),
            await File.ReadAllBytesAsync(Path.Combine(folder, "a-photo-2.png"), TestContext.Current.CancellationToken)
        );
    }

    [Fact]
    public async Task Generate_Previews_WritesEachPictureOnItsWay()
    {
        var folder = server.NewFolder();

        var drawn = await server.RunAsync(
            folder,
            "generate",
            "a photo",
            "-n",
            "2",
            "--steps",
            "40",
            "--width",
            "64",
            "--height",
            "64",
            "--previews",
            "way",
            "--preview-every",
            "4",
            "--json"
        );

        Assert.Equal((ExitCode.Ok, ""), (drawn.ExitCode, drawn.Error));
        var paths = drawn.EventsOf("preview").Select(preview => preview.GetProperty("path").GetString()!).ToArray();
        Assert.NotEmpty(paths);
        Assert.All(paths, path => Assert.Matches(@"^way[/\\]preview-00[12]-00[0-4][0-9]\.png$", path));
        Assert.All(paths, path => Assert.Equal((8, 8), SizeOf(Path.Combine(folder, path))));
        Assert.All(drawn.EventsOf("preview"), preview => Assert.Equal(0, preview.GetProperty("step").GetInt32() % 4));
        Assert.All(drawn.EventsOf("progress"), step => Assert.False(step.TryGetProperty("preview", out _)));
    }

    [Fact]
    public async Task Concepts_ExportImportShowDelete_Works()
    {
        var folder = server.NewFolder();
        var trained = await server.RunAsync(folder, ["train", "given", Photo, .. _quickTraining]);
        var given = await server.RunAsync(folder, "concepts", "export", "given", "-o", "given.safetensors");
        Assert.Equal((ExitCode.Ok, ExitCode.Ok), (trained.ExitCode, given.ExitCode));

        var imported = await server.RunAsync(folder, "concepts", "import", "brought", "given.safetensors", "--json");
        var shown = await server.RunAsync(folder, "concepts", "show", "brought");
        var inspected = await server.RunAsync(folder, "inspect", "brought");
        var listed = await server.RunAsync(folder, "concepts", "list", "--json");
        var exported = await server.RunAsync(
            folder,
            "concepts",
            "export",
            "brought",
            "--format",
            "webui",
            "-o",
            "taken.safetensors"
        );
        var again = await server.RunAsync(folder, "concepts", "export", "brought", "-o", "taken.safetensors");
        var installed = await server.RunAsync(folder, "concepts", "export", "brought", "--comfyui");
        var below = await server.RunAsync(folder, "concepts", "export", "brought", "-o", "new", "--json");
        var deleted = await server.RunAsync(folder, "concepts", "delete", "brought");
        var gone = await server.RunAsync(folder, "concepts", "show", "brought");

        Assert.Equal("brought", imported.Event("concept").GetProperty("name").GetString());
        Assert.Contains("vectors", shown.Output, StringComparison.Ordinal);
        Assert.Contains("NEAREST WORDS", inspected.Output, StringComparison.Ordinal);
        Assert.Contains(listed.EventsOf("concept"), concept => concept.GetProperty("name").GetString() == "brought");
        Assert.Equal(ExitCode.Ok, exported.ExitCode);
        Assert.Contains(
            "emb_params",
            await File.ReadAllTextAsync(
                Path.Combine(folder, "taken.safetensors"),
                TestContext.Current.CancellationToken
            ),
            StringComparison.Ordinal
        );
        var belowPath = below.Event("exported").GetProperty("path").GetString()!;
        Assert.Equal(("new", ".safetensors"), (Path.GetDirectoryName(belowPath), Path.GetExtension(belowPath)));
        Assert.True(File.Exists(Path.Combine(folder, belowPath)));
        Assert.Equal(ExitCode.Usage, again.ExitCode);
        // this server was not told of a ComfyUI
        Assert.Contains("knows no embeddings folder", installed.Error, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Ok, ExitCode.NotFound), (deleted.ExitCode, gone.ExitCode));
    }

    [Fact]
    public async Task Train_Interrupted_CancelsTheJob()
    {
        var folder = server.NewFolder();
        using var process = DtiProcess.Start(
            folder,
            ["train", "stopped", Photo, .. QuickTraining.Options(steps: 100_000), "--json", "--server", server.Address]
        );
        var line = "";
        while (!line.Contains("\"progress\"", StringComparison.Ordinal))
            line = await process.ReadLineAsync();

        DtiProcess.Interrupt(process);
        var result = await DtiProcess.EndAsync(process);

        Assert.Equal(ExitCode.Cancelled, result.ExitCode);
        Assert.Equal("CANCELLED", result.Event("error").GetProperty("code").GetString());
        var jobs = await server.RunAsync(folder, "jobs", "list", "--json");
        var job = Assert.Single(jobs.EventsOf("job"), job => job.GetProperty("name").GetString() == "stopped");
        var cancelled = await server.RunAsync(
            folder,
            "jobs",
            "watch",
            job.GetProperty("job_id").GetString()!,
            "--from-step",
            "100000",
            "--json"
        );
        Assert.Equal(ExitCode.Cancelled, cancelled.ExitCode);
    }

    [Fact]
    public async Task Models_NoServer_StartsOneAndFindsWhatShips()
    {
        var result = await DtiProcess.RunAsync(server.NewFolder(), "models", "list", "--json");

        Assert.Equal((ExitCode.Ok, ""), (result.ExitCode, result.Error));
        Assert.Equal("dti-mini", result.Event("model").GetProperty("name").GetString());
    }

    [Fact]
    public async Task Models_Convert_WritesTheOtherLayout()
    {
        var folder = server.NewFolder();
        var model = Path.Combine(Fixtures.Root, "tiny-sd15");

        var converted = await DtiProcess.RunAsync(folder, "models", "convert", model, "single.safetensors", "--json");
        var again = await DtiProcess.RunAsync(folder, "models", "convert", model, "single.safetensors");

        Assert.Equal(
            (ExitCode.Ok, "single.safetensors"),
            (converted.ExitCode, converted.Event("converted").GetProperty("path").GetString())
        );
        Assert.True(File.Exists(Path.Combine(folder, "single.safetensors")));
        Assert.Equal(ExitCode.Usage, again.ExitCode);
        Assert.Contains("there already", again.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Train_NoServer_KeepsTheConceptInDataFolder()
    {
        var folder = server.NewFolder();

        var trained = await DtiProcess.RunAsync(
            folder,
            ["train", "kept", Photo, .. _quickTraining, "--data", "library"]
        );
        var listed = await DtiProcess.RunAsync(folder, "concepts", "list", "--data", "library");

        Assert.Equal(ExitCode.Ok, trained.ExitCode);
        Assert.StartsWith(
            "warning: dti-mini knows only",
            Assert.Single(trained.Error.Split('\n', StringSplitOptions.RemoveEmptyEntries)),
            StringComparison.Ordinal
        );
        Assert.Contains("Learnt <kept>", trained.Output, StringComparison.Ordinal);
        Assert.Contains("kept", listed.Output, StringComparison.Ordinal);
    }

    private static (int Width, int Height) SizeOf(string file)
    {
        using var picture = SKBitmap.Decode(file);
        return (picture.Width, picture.Height);
    }
}
