using Dti.Engine.Checkpoints;
using Dti.Engine.Models.Families;
using Dti.Server.Libraries;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Google.Protobuf;
using Grpc.Core;
using static TorchSharp.torch;

namespace Dti.Server.Tests;

/// <summary>Concepts from other tools' files, and into ComfyUI's folder.</summary>
public sealed class ConceptFileTests : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-comfy-");
    private readonly TestServer _server;

    public ConceptFileTests()
    {
        Fixtures.CopyModel("tiny-sd15", Path.Combine(_folder.FullName, "models", "diffusers", "tiny"));
        Fixtures.CopyModel("tiny-sdxl", Path.Combine(_folder.FullName, "models", "diffusers", "wide"));
        _server = TestServer.Start(options => options with { ModelFolders = [_folder.FullName] });
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task Install_ComfyFolder_WritesAnEmbeddingThatSaysWhereItIsFrom()
    {
        var embeddings = _folder.CreateSubdirectory("models/embeddings");
        var trained = (
            await _server.TrainAsync(
                TestServer.Request("my-cat", change: request => request.Options.Method = TrainingMethod.TiRenormalized)
            )
        )[0].Accepted;

        var path = (await _server.Concepts.InstallAsync(new() { Name = "my-cat" })).Path;

        Assert.Equal(Path.Combine(embeddings.FullName, "my-cat.safetensors"), path);
        using var file = SafetensorsFile.Open(path);
        Assert.Equal("emb_params", Assert.Single(file.Tensors.Keys));
        Assert.Equal(
            ("sd1", "tiny", "textual inversion, renormalized"),
            (file.Metadata["dti.family"], file.Metadata["dti.model"], file.Metadata["dti.method"])
        );
        Assert.Equal(
            trained.Settings.MagnitudeValue,
            double.Parse(file.Metadata["dti.magnitude"], System.Globalization.CultureInfo.InvariantCulture),
            1e-5
        );
        Assert.Equal(trained.Settings, JsonParser.Default.Parse<TrainingSettings>(file.Metadata["dti.settings"]));
        Assert.Equal(2, file.Metadata["dti.photo_sha256"].Split(',').Length);
    }

    [Fact]
    public async Task Import_FileThatDtiWrote_KnowsHowItWasLearnt()
    {
        await _server.TrainAsync(TestServer.Request("my-cat"));
        var learnt = (await _server.Concepts.GetAsync(new() { Name = "my-cat" })).Concept;
        var file = await _server.Concepts.ExportAsync(new() { Name = "my-cat", Format = ConceptFormat.Webui });

        var again = (await _server.Concepts.ImportAsync(new() { Name = "again", Data = file.Data })).Concept;

        Assert.NotNull(learnt.Settings);
        Assert.Equal((learnt.Model, learnt.Settings), (again.Model, again.Settings));
        Assert.Equal(learnt.PhotoSha256, again.PhotoSha256);
        Assert.Equal("<again>", again.Placeholder);
    }

    [Theory]
    [InlineData("no json")]
    [InlineData("""{"steps": "many"}""")]
    public void Metadata_SettingsThatCannotBeRead_AreUnknown(string settings) =>
        Assert.Null(ConceptMetadata.Read(new Dictionary<string, string> { ["dti.settings"] = settings }).Settings);

    [Fact]
    public void Metadata_EveryMethod_IsCalledByANameOfItsOwn()
    {
        var names = Enum.GetValues<TrainingMethod>()
            .Where(method => method != TrainingMethod.Unspecified)
            .Select(method =>
                ConceptMetadata.Of(new Concept { Settings = new TrainingSettings { Method = method } })["dti.method"]
            )
            .ToArray();

        Assert.Equal(names.Length, names.Distinct().Count());
        Assert.DoesNotContain("imported", names);
    }

    [Fact]
    public async Task Install_FileOfThatName_IsReplacedOnlyIfAsked()
    {
        var file = Path.Combine(_folder.CreateSubdirectory("models/embeddings").FullName, "cat.safetensors");
        await File.WriteAllTextAsync(file, "somebody's", TestContext.Current.CancellationToken);
        await Import("cat", [1, 32]);

        await Refusal.Of(
            async () => await _server.Concepts.InstallAsync(new() { Name = "cat" }),
            StatusCode.AlreadyExists
        );
        Assert.Equal("somebody's", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));

        await _server.Concepts.InstallAsync(new() { Name = "cat", Overwrite = true });
        SafetensorsFile.Open(file).Dispose();
    }

    [Fact]
    public async Task Install_WidthOfAModelForTrialsAlone_IsRefusedWithTheWidths()
    {
        var embeddings = _folder.CreateSubdirectory("models/embeddings");
        await File.WriteAllTextAsync(
            Path.Combine(_folder.FullName, "models", "diffusers", "tiny", "dti.json"),
            """{ "domain": "a drawn world" }""",
            TestContext.Current.CancellationToken
        );
        await Import("cat", [1, 32]);

        var error = await Refusal.Of(
            async () => await _server.Concepts.InstallAsync(new() { Name = "cat" }),
            StatusCode.FailedPrecondition
        );

        Assert.Contains("'cat', whose vectors are 32 wide", error.Status.Detail, StringComparison.Ordinal);
        Assert.Empty(embeddings.EnumerateFiles());
    }

    [Fact]
    public async Task Install_NoEmbeddingsFolder_SaysWhatToDo()
    {
        await Import("cat", [1, 32]);

        var error = await Refusal.Of(
            async () => await _server.Concepts.InstallAsync(new() { Name = "cat" }),
            StatusCode.FailedPrecondition
        );

        Assert.Contains("name ComfyUI's folder", error.Status.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Import_Rescaled_HasTheMeanNormOfTheVocabularyAndTheSameDirections()
    {
        var mean = ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, "tiny-sd15")).VocabularyNorms.Mean;

        var kept = await Import("kept", [2, 32]);
        var rescaled = await Import("rescaled", [2, 32], request => request.Rescale = true);

        Assert.All(kept.Norms, norm => Assert.True(norm > 2 * mean));
        Assert.All(rescaled.Norms, norm => Assert.Equal(mean, norm, 1e-5));
        var cosines = (await _server.Concepts.InspectAsync(new() { Name = "kept" })).Vectors.Zip(
            (await _server.Concepts.InspectAsync(new() { Name = "rescaled" })).Vectors
        );
        Assert.All(cosines, pair => Assert.Equal(pair.First.Nearest[0].Cosine, pair.Second.Nearest[0].Cosine, 1e-5));
    }

    [Fact]
    public async Task Import_TensorsThatAreOfNoUse_AreNamed()
    {
        using var scope = NewDisposeScope();
        using var file = new MemoryStream();
        SafetensorsWriter.Write(
            file,
            new Dictionary<string, Tensor> { ["emb_params"] = ones(1, 32), ["emp_params_out"] = ones(1, 32) }
        );

        await _server.Concepts.ImportAsync(new() { Name = "x", Data = ByteString.CopyFrom(file.ToArray()) });

        Assert.Equal(
            ["emp_params_out"],
            (await _server.Concepts.GetAsync(new() { Name = "x" })).Concept.IgnoredTensors
        );
    }

    [Theory]
    [InlineData(32, "sd1")] // as a model here
    [InlineData(1024, "sd2")] // as published ones
    public async Task Import_WidthOfAFamily_NamesIt(int width, string family) =>
        Assert.Equal(family, (await Import("x", [1, width])).Family);

    [Fact]
    public async Task Import_WidthOfNoFamily_SaysWhichThereAre()
    {
        var error = await Refusal.Of(() => Import("x", [1, 640]), StatusCode.InvalidArgument);
        Assert.StartsWith(
            "data holds vectors of width 640: Stable Diffusion 1.x takes 768",
            error.Status.Detail,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Import_ForAModelOfAnotherFamily_NamesBothWidths()
    {
        var error = await Refusal.Of(
            () => Import("x", [1, 32], request => request.Model = "wide"),
            StatusCode.FailedPrecondition
        );
        Assert.Contains(
            "width 32; model wide is of the family sdxl and needs 32 + 40",
            error.Status.Detail,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Import_RescaledWithoutAModelOfItsFamily_SaysWhatIsMissing()
    {
        var error = await Refusal.Of(
            () => Import("x", [1, 1024], request => request.Rescale = true),
            StatusCode.FailedPrecondition
        );
        Assert.Contains(
            "a model of the family sd2 with these widths is needed",
            error.Status.Detail,
            StringComparison.Ordinal
        );
    }

    /// <summary>
    /// Imports an embedding as A1111 writes it, with norms as long as plain textual inversion makes them.
    /// </summary>
    private async Task<Concept> Import(string name, long[] shape, Action<ConceptServiceImportRequest>? change = null)
    {
        using var scope = NewDisposeScope();
        using var file = new MemoryStream();
        SafetensorsWriter.Write(
            file,
            new Dictionary<string, Tensor> { ["emb_params"] = 100 * randn(shape, generator: new Generator(1, CPU)) }
        );
        var request = new ConceptServiceImportRequest { Name = name, Data = ByteString.CopyFrom(file.ToArray()) };
        change?.Invoke(request);
        return (await _server.Concepts.ImportAsync(request)).Concept;
    }
}
