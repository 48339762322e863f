using Dti.Engine.Models;
using Dti.Engine.Models.Families.StableDiffusion;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

public class PromptKeysTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Theory]
    [InlineData("tiny-sd15")]
    [InlineData("tiny-sd21")]
    public void Forward_WithKeptKeys_PredictsTheSameAtEachStep(string family)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var model = models.Model(family);
        var (sample, states) = (randn(2, 4, 8, 8), randn(2, 77, model.Profile.UNetConfig.CrossAttentionDim));
        using var keys = new PromptKeys();

        foreach (var timestep in new[] { 900f, 500f })
        {
            var expected = model.UNet.Forward(sample, tensor([timestep]), states).data<float>().ToArray();
            Assert.Equal(
                expected,
                model.UNet.Forward(sample, tensor([timestep]), states, keys: keys).data<float>().ToArray()
            );
        }
    }

    [Fact]
    public void Of_SameLayer_MakesThemOnceAndKeepsThem()
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var weights = new RandomWeights();
        var layer = new Attention(new(weights), channels: 8, heads: 2, contextDim: 6);
        using var keys = new PromptKeys();
        var states = randn(1, 77, 6);

        (Tensor Keys, Tensor Values) first;
        using (NewDisposeScope())
        {
            first = keys.Of(layer, () => layer.KeysAndValues(states));
        }

        var second = keys.Of(layer, () => layer.KeysAndValues(states));
        Assert.Same(first.Keys, second.Keys);
        Assert.Same(first.Values, second.Values);
        Assert.False(first.Keys.IsInvalid);
        keys.Dispose();
        Assert.True(first.Keys.IsInvalid);
    }

    private sealed class RandomWeights : Dti.Engine.Weights.IWeightSource, IDisposable
    {
        private readonly List<Tensor> _made = [];

        public bool Contains(string name) => true;

        public Tensor Take(string name, long[] shape)
        {
            _made.Add(randn(shape).DetachFromDisposeScope());
            return _made[^1];
        }

        public void Dispose() => _made.ForEach(tensor => tensor.Dispose());
    }
}
