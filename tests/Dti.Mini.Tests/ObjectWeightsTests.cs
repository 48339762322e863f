using Dti.Mini.Models;
using Dti.Mini.World;

namespace Dti.Mini.Tests;

public class ObjectWeightsTests
{
    [Fact]
    public void Of_Scene_CountsWhatIsInAnObjectsBox()
    {
        var scene = Enumerable.Range(0, 100).Select(i => Scene.Sample(1, i)).First(scene => scene.Objects.Count == 1);
        scene = scene with { Objects = [scene.Objects[0] with { X = 0.5f, Foot = 0.75f, Extent = 0.5f }] };

        using var weights = ObjectWeights.Of([scene, scene], 16);

        Assert.Equal([2, 1, 16, 16], weights.shape);
        Assert.Equal(2 * ((8 * 8 * ObjectWeights.Object) + (256 - 64)), weights.sum().item<float>());
        Assert.Equal(
            (1f, ObjectWeights.Object),
            (weights[1, 0, 3, 8].item<float>(), weights[1, 0, 4, 8].item<float>())
        );
    }

    [Fact]
    public void Of_ManyScenes_StaysWithinThePicture()
    {
        using var weights = ObjectWeights.Of([.. Enumerable.Range(0, 500).Select(i => Scene.Sample(1, i))], 16);

        Assert.InRange(weights.mean().item<float>(), 1.3f, 3.5f);
    }
}
