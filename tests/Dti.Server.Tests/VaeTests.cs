using System.Text.Json.Nodes;
using Dti.Engine.Checkpoints;
using Dti.Server.Tests.Infrastructure;
using Dti.Tests;
using Dti.V1;
using Grpc.Core;
using static TorchSharp.torch;

namespace Dti.Server.Tests;

/// <summary>An autoencoder from ComfyUI's vae folder in the place of the model's own.</summary>
public sealed class VaeTests : IAsyncDisposable
{
    private readonly DirectoryInfo _comfy = Directory.CreateTempSubdirectory("dti-comfy-");
    private readonly TestServer _server;

    public VaeTests()
    {
        Fixtures.CopyModel("tiny-sd15", Path.Combine(_comfy.FullName, "models", "diffusers", "tiny"));
        var folder = _comfy.CreateSubdirectory("models/vae/soft").FullName;
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(
            Path.Combine(Fixtures.Root, "tiny-sd15", "vae", "diffusion_pytorch_model.safetensors")
        );
        var tensors = file.Tensors.Keys.ToDictionary(name => name, file.Read);
        tensors["decoder.conv_out.bias"] += 0.5;
        SafetensorsWriter.Write(Path.Combine(folder, "bright.safetensors"), tensors);
        File.WriteAllText(Path.Combine(folder, "broken.safetensors"), "not a VAE");
        _server = TestServer.Start(options => options with { ModelFolders = [_comfy.FullName] });
    }

    public async ValueTask DisposeAsync()
    {
        await _server.DisposeAsync();
        _comfy.Delete(recursive: true);
    }

    [Fact]
    public async Task Generate_WithVae_UsesItAndSaysSo()
    {
        Assert.Equal(["soft/bright"], (await _server.Models.ListAsync(new())).Vaes);

        var events = await _server.GenerateAsync(Draw("soft/bright"));

        Assert.Equal(
            ("soft/bright", ""),
            (events[0].Accepted.Settings.Vae, (await _server.GenerateAsync(Draw("")))[0].Accepted.Settings.Vae)
        );
        Assert.NotEqual(
            await _server.PictureAsync(Draw("")),
            events.Single(e => e.Picture is not null).Picture.Data.ToByteArray()
        );
    }

    [Fact]
    public async Task Train_WithVae_KeepsItInTheConceptsSettings()
    {
        await _server.TrainAsync(TestServer.Request("cat", change: request => request.Options.Vae = "soft/bright"));

        Assert.Equal("soft/bright", (await _server.Concepts.GetAsync(new() { Name = "cat" })).Concept.Settings.Vae);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Generate_FolderWithoutAutoencoder_IsListedWithTheWayOutAndUsesAnother(bool named)
    {
        var folder = Fixtures.CopyModel("tiny-sd15", Path.Combine(_comfy.FullName, "models", "diffusers", "without"));
        Directory.Delete(Path.Combine(folder, "vae"), recursive: true);
        if (!named)
        {
            var index = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "model_index.json")))!;
            index["vae"] = new JsonArray(null, null);
            File.WriteAllText(Path.Combine(folder, "model_index.json"), index.ToJsonString());
        }

        var target = _comfy.CreateSubdirectory("models/vae/own").FullName;
        foreach (var file in Directory.GetFiles(Path.Combine(Fixtures.Root, "tiny-sd15", "vae")))
        {
            File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }

        var listed = (await _server.Models.ListAsync(new())).Models.Single(model => model.Name == "without");
        var options = Draw("own");
        options.Model = "without";

        Assert.Contains("It holds no autoencoder (VAE). Name one with --vae", listed.Problem, StringComparison.Ordinal);
        Assert.Equal(await _server.PictureAsync(Draw("")), await _server.PictureAsync(options));
    }

    [Fact]
    public async Task Generate_UnknownVae_ListsCloseNames()
    {
        var error = await Refusal.Of(() => _server.GenerateAsync(Draw("bright")), StatusCode.NotFound);
        Assert.Equal("There is no vae 'bright'. Close: soft/bright.", error.Status.Detail);
    }

    [Fact]
    public async Task Generate_BrokenVae_SaysWhy()
    {
        var error = await Refusal.Of(() => _server.GenerateAsync(Draw("soft/broken")), StatusCode.FailedPrecondition);
        Assert.Contains("is not a valid safetensors file", error.Status.Detail, StringComparison.Ordinal);
    }

    private static GenerationOptions Draw(string vae)
    {
        var options = TestServer.Draw("a dog");
        options.Vae = vae;
        return options;
    }
}
