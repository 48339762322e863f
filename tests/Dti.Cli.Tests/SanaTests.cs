using Dti.Tests;

namespace Dti.Cli.Tests;

/// <summary>Every command that uses a model, on a SANA.</summary>
public sealed class SanaTests : IAsyncLifetime
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-sana-");
    private DtiProcess? _server;
    private string _address = "";

    public async ValueTask InitializeAsync()
    {
        _server = DtiProcess.Start(
            _folder.FullName,
            "serve",
            "--port",
            "0",
            "--models",
            Path.Combine(Fixtures.Root, "tiny-sana"),
            "--memory",
            "low",
            "--json"
        );
        _address = (await _server.ReadEventAsync()).GetProperty("address").GetString()!;
    }

    public async ValueTask DisposeAsync()
    {
        using var process = _server!;
        DtiProcess.Interrupt(process);
        await process.EndAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Commands_Sana_TrainGenerateInterpolateInspectAndCompare()
    {
        File.Copy(Fixtures.Common("preprocess_square.png"), At("photo.png"));
        foreach (var (name, word) in new[] { ("one", "dog"), ("two", "cat") })
        {
            await Run(
                $"train {name} photo.png --initializer {word} --steps 2 --batch 1 --resolution 64 --preview-every 0"
            );
        }

        await Run("generate <one> -o one.png --no-instruction --steps 1 --width 64 --height 64");
        Assert.True(File.Exists(At("one.png")));
        await Run("interpolate one two --frames 2 -o between --steps 1 --width 64 --height 64");
        Assert.True(Directory.GetFiles(At("between"), "*.png").Length >= 2);
        Assert.Contains("dog", await Run("inspect one"), StringComparison.Ordinal);
        Assert.Contains("attention softcapping off", await Run("concepts show one"), StringComparison.Ordinal);
        Assert.Contains("sana", await Run("models list"), StringComparison.Ordinal);

        await File.WriteAllTextAsync(
            At("grid.yaml"),
            """
            subjects:
              box: { photos: photo.png, word: dog }
            training: --steps 1 --batch 1 --resolution 64
            methods:
              dti: ""
              ti: --method ti
            seeds: [1]
            prompts: ["a photo of {concept}"]
            pictures: 1
            drawing: --steps 1 --width 64 --height 64
            """,
            TestContext.Current.CancellationToken
        );
        await Run("compare grid.yaml -o out");
        var results = await File.ReadAllLinesAsync(At("out/results.csv"), TestContext.Current.CancellationToken);
        Assert.Equal(3, results.Length);
    }

    private string At(string file) => Path.Combine(_folder.FullName, file);

    private async Task<string> Run(string command)
    {
        var result = await DtiProcess.RunAsync(_folder.FullName, [.. command.Split(' '), "--server", _address]);
        Assert.True(
            (result.ExitCode, result.Error) == (ExitCode.Ok, ""),
            $"{command}: {result.ExitCode} {result.Error}"
        );
        return result.Output;
    }
}
