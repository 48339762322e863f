using Dti.Mini.Models;
using static TorchSharp.torch;

namespace Dti.Mini.Tests;

/// <summary>The crops from which the judge reads designs.</summary>
public sealed class DesignJudgeTests
{
    [Fact]
    public void Crop_Object_IsInTheMiddle()
    {
        using var scope = NewDisposeScope();
        var image = zeros(1, 3, 128, 128);
        image[.., .., 60..68, 28..36] = 1; // its middle: x 32, y 64

        var crop = DesignJudge.Crop(image, x: 0.25f, foot: 0.625f, extent: 0.25f);

        Assert.Equal([1, 3, 96, 96], crop.shape);
        Assert.Equal(1, crop[0, 0, 48, 48].item<float>());
        Assert.Equal(0, crop[0, 0, 10, 48].item<float>());
        Assert.Equal(0, crop[0, 0, 48, 10].item<float>());
    }

    [Theory]
    [InlineData(0, 0.1f, 0.3f)]
    [InlineData(1, 1, 0.9f)]
    [InlineData(0.5f, 1.2f, 1.5f)]
    public void Crop_ObjectAtTheEdge_IsPadded(float x, float foot, float extent)
    {
        using var scope = NewDisposeScope();

        var crop = DesignJudge.Crop(ones(1, 3, 128, 128), x, foot, extent);

        Assert.Equal([1, 3, 96, 96], crop.shape);
        Assert.InRange(crop.mean().item<float>(), 0.05f, 1);
    }
}
