using Dti.Engine.Checkpoints;
using Dti.Engine.Models.Families;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

/// <summary>
/// Small models are not packed by themselves; here they are, and compute what they compute otherwise.
/// </summary>
public class PackedModelTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void Evaluate_PackedModel_GivesTheSameLossAndGradients(string family) =>
        AssertSameGradients(models.Model(family), family);

    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void Evaluate_PackedModelWithCheckpointsAndNothingKept_GivesTheSameLossAndGradients(string family) =>
        AssertSameGradients(models.Model(family), family, MemoryPolicy.Low with { OffloadIdle = false });

    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void Evaluate_ModelHeldInBFloat16_GivesTheLossAndGradientsOfRoundedWeights(string family)
    {
        var folder = Directory.CreateTempSubdirectory("dti-rounded-");
        try
        {
            var plain = models.Model(family);
            Round(plain.Profile.Path, folder.FullName);
            using var rounded = StableDiffusionModel.Load(ModelFamilies.BuiltIn.Read(folder.FullName), plain.Target);
            AssertSameGradients(rounded, family, target: ComputeTarget.HoldingBFloat16);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void Vae_PackedModel_EncodesAndDecodesTheSame(string family)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var plain = models.Model(family);
        using var packed = ModelFixture.Packed(plain);
        var (latent, image) = (randn(1, 4, 9, 8), rand(1, 3, 72, 40)); // odd and even sides

        Golden.AssertClose(plain.Vae.Decode(latent), packed.Vae.Decode(latent), 1e-4, family);
        Golden.AssertClose(plain.Vae.Encode(image).Mean, packed.Vae.Encode(image).Mean, 1e-4, family);
    }

    private void AssertSameGradients(
        StableDiffusionModel plain,
        string family,
        MemoryPolicy? memory = null,
        ComputeTarget? target = null
    )
    {
        using var scope = NewDisposeScope();
        using var packed = ModelFixture.Packed(models.Model(family), memory, target);
        // the second with what the first has kept
        var ((expectedLoss, expected), (loss, gradients)) = SameStep.Of(plain, packed, evaluations: 2);

        Assert.Equal(expectedLoss.item<float>(), loss.item<float>(), 1e-5);
        Assert.Equal(expected.Count, gradients.Count);
        foreach (var (one, other) in expected.Zip(gradients))
        {
            Golden.AssertClose(one, other, 1e-4, family); // sums are taken in another order
        }
    }

    /// <summary>A copy of a model folder, the weights of linear layers and convolutions rounded to bf16.</summary>
    private static void Round(string model, string folder)
    {
        using var scope = NewDisposeScope();
        foreach (var file in Directory.EnumerateFiles(model, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(folder, Path.GetRelativePath(model, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            if (!file.EndsWith(".safetensors", StringComparison.Ordinal))
            {
                File.Copy(file, copy);
                continue;
            }

            using var stored = SafetensorsFile.Open(file);
            SafetensorsWriter.Write(
                copy,
                stored.Tensors.Values.ToDictionary(
                    entry => entry.Name,
                    entry =>
                        entry.Shape.Count > 1 && !entry.Name.EndsWith("_embedding.weight", StringComparison.Ordinal)
                            ? stored.Read(entry).to(ScalarType.BFloat16).to(ScalarType.Float32)
                            : stored.Read(entry)
                )
            );
        }
    }
}
