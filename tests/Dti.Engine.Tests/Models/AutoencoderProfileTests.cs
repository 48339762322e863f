using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

public sealed class AutoencoderProfileTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-vae-");
    private readonly ModelProfile _model = ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, "tiny-sd15"));

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData("diffusers")]
    [InlineData("original")]
    [InlineData("first_stage_model.")]
    public void With_FileInEitherLayout_DecodesWithItsWeights(string layout)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var target = new ComputeTarget(CPU, ScalarType.Float32);
        using var own = StableDiffusionModel.Load(_model, target);
        using var other = StableDiffusionModel.Load(_model.With(AutoencoderProfile.Read(Brighter(layout))), target);

        var latents = randn([1, 4, 8, 8], generator: new Generator(1, CPU));

        Assert.True((own.Vae.Decode(latents) + 1).allclose(other.Vae.Decode(latents), 1e-5, 1e-5));
        Assert.Equal(_model.HeldBytes(target), other.Profile.HeldBytes(target));
    }

    [Fact]
    public void With_IdleComponentsOffloaded_ComesBackWithItsWeights()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var target = new ComputeTarget(CPU, ScalarType.Float32);
        using var own = StableDiffusionModel.Load(_model, target);
        using var other = StableDiffusionModel.Load(
            _model.With(AutoencoderProfile.Read(Brighter("original"))),
            target,
            MemoryPolicy.Low
        );
        var latents = randn([1, 4, 8, 8], generator: new Generator(1, CPU));
        var before = other.Vae;

        other.UseOnly(ModelParts.Denoiser);

        Assert.NotSame(before, other.Vae);
        Assert.True((own.Vae.Decode(latents) + 1).allclose(other.Vae.Decode(latents), 1e-5, 1e-5));
    }

    [Fact]
    public void With_FolderOfTheSameAutoencoder_IsTheSameProfileEachTime()
    {
        var vae = AutoencoderProfile.Read(Path.Combine(Fixtures.Root, "tiny-sd15", "vae"));

        Assert.Same(_model.With(vae), _model.With(vae));
    }

    [Fact]
    public void With_AutoencoderOfAnotherFamily_IsRefusedWithItsNumbers()
    {
        var vae = AutoencoderProfile.Read(Path.Combine(Fixtures.Root, "tiny-sdxl", "vae"));

        var error = Assert.Throws<DtiException>(() => _model.With(vae));

        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.StartsWith(
            "VAE 'vae' does not go with model 'tiny-sd15': its latents have 4 channels per 8 pixels, scaled by 0.13025",
            error.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void With_TensorOfAnotherShape_NamesIt()
    {
        var file = Write(Own(), tensors => tensors["decoder.conv_in.weight"] = zeros(16, 16, 3, 3));

        var error = Assert.Throws<DtiException>(() => _model.With(AutoencoderProfile.Read(file)));

        Assert.Contains("tensor 'decoder.conv_in.weight' is (16, 16, 3, 3)", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FileThatIsNone_IsRefused()
    {
        var error = Assert.Throws<DtiException>(() =>
            AutoencoderProfile.Read(
                Path.Combine(Fixtures.Root, "tiny-sd15", "unet", "diffusion_pytorch_model.safetensors")
            )
        );
        Assert.Contains("is not an autoencoder (VAE)", error.Message, StringComparison.Ordinal);
    }

    private static string Own() =>
        Path.Combine(Fixtures.Root, "tiny-sd15", "vae", "diffusion_pytorch_model.safetensors");

    /// <summary>The model's own autoencoder, but its pictures are brighter by one.</summary>
    private string Brighter(string layout)
    {
        const string Prefix = "first_stage_model.";
        var name = (layout == Prefix ? Prefix : "") + "decoder.conv_out.bias";
        return layout == "diffusers"
            ? Write(Own(), tensors => tensors[name] += 1)
            : Write(
                Path.Combine(Fixtures.Root, "tiny-sd15", "single_file.safetensors"),
                tensors => tensors[name] += 1,
                Prefix,
                layout == Prefix ? Prefix : ""
            );
    }

    /// <summary>Copies a file's tensors below a prefix, under another, changed.</summary>
    private string Write(string source, Action<Dictionary<string, Tensor>> change, string from = "", string to = "")
    {
        using var scope = NewDisposeScope();
        using var file = SafetensorsFile.Open(source);
        var tensors = file
            .Tensors.Keys.Where(name => name.StartsWith(from, StringComparison.Ordinal))
            .ToDictionary(name => to + name[from.Length..], file.Read);
        change(tensors);
        var path = Path.Combine(_folder.FullName, "other.safetensors");
        SafetensorsWriter.Write(path, tensors);
        return path;
    }
}
