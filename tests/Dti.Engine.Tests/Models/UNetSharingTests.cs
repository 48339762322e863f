using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

/// <summary>With guidance, both prompts are asked of the same latents.</summary>
public class UNetSharingTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void Forward_OneSampleForTwoPrompts_PredictsAsForACopyForEach(string family) =>
        AssertSame(models.Model(family), family);

    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void Forward_OneSampleForTwoPromptsPacked_PredictsAsForACopyForEach(string family)
    {
        using var packed = ModelFixture.Packed(models.Model(family));
        AssertSame(packed, family);
    }

    private static void AssertSame(StableDiffusionModel model, string family)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var generator = new Generator(1);
        var config = model.Profile.UNetConfig;
        var added =
            config.AdditionTimeEmbedDim == 0
                ? null
                : new AddedConditioning(
                    randn([2, config.AdditionInputDim - (6 * config.AdditionTimeEmbedDim)], generator: generator),
                    tensor(new float[] { 64, 64, 0, 0, 64, 64 }).repeat(2, 1)
                );
        var states = randn([2, 77, config.CrossAttentionDim], generator: generator);
        var timestep = tensor([500f]);

        foreach (var (height, width) in new[] { (8, 8), (9, 11) })
        {
            var sample = randn([1, config.InChannels, height, width], generator: generator);
            var expected = model.UNet.Forward(cat([sample, sample]), timestep, states, added);

            var actual = model.UNet.Forward(sample, timestep, states, added);

            Golden.AssertClose(expected, actual, 1e-4, $"{family}, {height} × {width}");
            Assert.NotEqual(actual[0].data<float>().ToArray(), actual[1].data<float>().ToArray());
        }
    }
}
