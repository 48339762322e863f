using Dti.Tests;

namespace Dti.Cli.Tests;

/// <summary>What is said when a training is done.</summary>
public class TrainedFilesTests(ServeFixture server)
{
    private static readonly string[] _training =
    [
        Fixtures.Common("preprocess_square.png"),
        .. "--initializer cat --steps 1 --batch 1 --resolution 64 --preview-every 0".Split(' '),
    ];

    [Fact]
    public async Task Train_OwnServer_NamesTheConceptAndItsImage()
    {
        var folder = server.NewFolder();

        var result = await DtiProcess.RunAsync(
            folder,
            ["train", "mine", .. _training, "--models", Path.Combine(Fixtures.Root, "tiny-sd15")]
        );

        Assert.Equal((ExitCode.Ok, ""), (result.ExitCode, result.Error));
        foreach (var ending in new[] { ".safetensors", ".training.png" })
        {
            var file = Path.Combine(folder, "home", "concepts", "mine" + ending);
            Assert.True(File.Exists(file));
            Assert.Contains($" {file}", result.Output, StringComparison.Ordinal);
        }

        Assert.Contains(
            $"Try: {ProgramName.Of(AppContext.BaseDirectory, folder, OperatingSystem.IsWindows())} generate \"a photo of <mine>\"",
            result.Output,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Train_OtherServer_SaysHowToGetThem()
    {
        var result = await server.RunAsync(server.NewFolder(), ["train", "theirs", .. _training]);

        Assert.Equal(ExitCode.Ok, result.ExitCode);
        Assert.Contains(" concepts export theirs.", result.Output, StringComparison.Ordinal);
        Assert.Contains(" concepts show theirs --summary theirs.png", result.Output, StringComparison.Ordinal);
    }
}
