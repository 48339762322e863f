using Dti.Engine.Generation;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Tests;

namespace Dti.Engine.Tests.Generation;

public class GenerationSettingsTests
{
    private readonly ModelProfile _profile = ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, "tiny-sd15"));

    /// <summary>It was accepted, and failed on the device.</summary>
    [Theory]
    [InlineData("ddim", 1000, null)]
    [InlineData("dpmpp_2m", 999, null)]
    [InlineData("dpmpp_2m", 1000, "steps is 1000; the model was trained with 1000, so at most 999 can be sampled.")]
    [InlineData("ddim", 1001, "steps is 1001; it must be from 1 to 1000.")]
    public void Resolve_StepsThatTheSchedulerDoesNotKnow_AreRefused(string scheduler, int steps, string? reason)
    {
        void Resolve() =>
            GenerationSettings.Resolve(
                new GenerationOptions
                {
                    Prompt = "a cat",
                    Scheduler = scheduler,
                    Steps = steps,
                },
                _profile,
                () => 1
            );

        if (reason is null)
        {
            Resolve();
            return;
        }

        var violation = Assert.Single(Assert.Throws<ValidationException>(Resolve).Violations);
        Assert.Equal(("steps", reason), (violation.Field, violation.Description));
    }

    /// <summary>Samplers by the names of other tools.</summary>
    [Theory]
    [InlineData("Euler a", "euler_ancestral")]
    [InlineData("euler_a", "euler_ancestral")]
    [InlineData("Euler", "euler")]
    [InlineData("DPM++ 2M Karras", "dpmpp_2m_karras")]
    [InlineData("PLMS", "pndm")]
    [InlineData("DPMSolverMultistepScheduler", "dpmpp_2m")]
    [InlineData("uni_pc", null)]
    public void Resolve_SamplerOfAnotherTool_NamesTheOneHere(string name, string? close)
    {
        var error = Assert.Throws<ValidationException>(() =>
            GenerationSettings.Resolve(new GenerationOptions { Prompt = "a cat", Scheduler = name }, _profile, () => 1)
        );
        Assert.EndsWith(
            close is null ? "pndm." : $"Close: {close}.",
            Assert.Single(error.Violations).Description,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Resolve_GuidanceOfTurboModels_SaysWhatNoGuidanceIsHere()
    {
        var error = Assert.Throws<ValidationException>(() =>
            GenerationSettings.Resolve(new GenerationOptions { Prompt = "a cat", GuidanceScale = 0 }, _profile, () => 1)
        );
        Assert.Contains("1 is no guidance", Assert.Single(error.Violations).Description, StringComparison.Ordinal);
    }

    /// <summary>It was accepted and shown among the settings, and changed nothing.</summary>
    [Fact]
    public void Resolve_ClipSkipForSdxl_IsRefused()
    {
        var profile = ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, "tiny-sdxl"));

        var error = Assert.Throws<ValidationException>(() =>
            GenerationSettings.Resolve(new GenerationOptions { Prompt = "a cat", ClipSkip = 2 }, profile, () => 1)
        );

        Assert.Equal("clip_skip", Assert.Single(error.Violations).Field);
    }
}
