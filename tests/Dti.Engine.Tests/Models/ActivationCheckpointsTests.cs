using Dti.Engine.Models;
using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Runtime.Devices;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

public class ActivationCheckpointsTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Theory]
    [MemberData(nameof(ModelFixture.AllFamilies), MemberType = typeof(ModelFixture))]
    public void Evaluate_WithCheckpoints_GivesTheSameLossAndGradients(string family)
    {
        using var scope = NewDisposeScope();
        var whole = models.Model(family);
        using var saving = StableDiffusionModel.Load(
            whole.Profile,
            whole.Target,
            MemoryPolicy.Low with
            {
                OffloadIdle = false,
            }
        );
        var ((expectedLoss, expected), (loss, gradients)) = SameStep.Of(whole, saving);

        Assert.Equal(expectedLoss.item<float>(), loss.item<float>());
        Assert.Equal(expected.Count, gradients.Count);
        foreach (var (one, other) in expected.Zip(gradients))
        {
            Golden.AssertClose(one, other, 1e-5, family); // sums are taken in another order
        }
    }

    [Fact]
    public void Backward_BlockThatTakesGradients_RunsItOnceMore()
    {
        using var scope = NewDisposeScope();
        using var checkpoints = new ActivationCheckpoints();
        var leaf = ones(3).requires_grad_(true);
        var runs = 0;

        var result = checkpoints.Run(
            x =>
            {
                runs++;
                return x * x;
            },
            leaf
        );
        checkpoints.Backward((result * 3).sum());

        Assert.Equal(2, runs);
        Assert.Equal([6f, 6f, 6f], leaf.grad!.data<float>().ToArray());
    }

    [Fact]
    public void Backward_BlockWithoutLearntInputs_RunsOnce()
    {
        using var scope = NewDisposeScope();
        using var checkpoints = new ActivationCheckpoints();
        var leaf = ones(3).requires_grad_(true);
        var runs = 0;

        var plain = checkpoints.Run(
            x =>
            {
                runs++;
                return x * x;
            },
            ones(3)
        );
        checkpoints.Backward(checkpoints.Run((x, y) => x * y, plain, leaf).sum());

        Assert.Equal(1, runs);
    }

    [Fact]
    public void Backward_CutThatManyBlocksUse_AddsTheirGradientsUp()
    {
        using var scope = NewDisposeScope();
        using var checkpoints = new ActivationCheckpoints();
        var leaf = full(2, 2f).requires_grad_(true);

        var cut = checkpoints.Cut(leaf * leaf);
        var one = checkpoints.Run(x => x * 3, cut);
        var two = checkpoints.Run((x, y) => x * y, one, cut); // 3 (l²)²
        checkpoints.Backward(two.sum());

        Assert.Equal([96f, 96f], leaf.grad!.data<float>().ToArray()); // 12 l³
    }

    [Fact]
    public void Run_InputWithAGraphOfItsOwn_IsRefused()
    {
        using var scope = NewDisposeScope();
        using var checkpoints = new ActivationCheckpoints();
        var product = ones(3).requires_grad_(true) * 2;

        Assert.Throws<ArgumentException>(() => checkpoints.Run(x => x, product));
    }
}
