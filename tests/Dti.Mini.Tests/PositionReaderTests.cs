using Dti.Engine.Checkpoints;
using Dti.Engine.Tokenization;
using Dti.Mini.Study;
using Dti.Mini.World;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Mini.Tests;

public class PositionReaderTests
{
    [Fact]
    public void Read_TheModelsWords_PositionFadesAsNormsGrow()
    {
        using var scope = NewDisposeScope();
        var root = Fixtures.Repository;
        var size = ClipTokenizer.Load(Path.Combine(root, MiniWorld.TokenizerFolder)).VocabularySize;
        using var file = SafetensorsFile.Open(
            Path.Combine(root, MiniWorld.ModelFolder, "text_encoder", "model.safetensors")
        );
        var (vocabulary, positions) = (zeros(size, 160), zeros(77, 160));
        file.ReadInto("text_model.embeddings.token_embedding.weight", vocabulary);
        file.ReadInto("text_model.embeddings.position_embedding.weight", positions);
        positions = positions.narrow(0, 1, 76);
        var reader = new PositionReader(vocabulary.narrow(0, 0, 800), positions);

        var predicted = new[] { 1.0, 4, 16 }
            .Select(factor => reader.Read(vocabulary.narrow(0, 800, 300) * factor))
            .ToArray();

        Assert.True(
            predicted[0]["predicted_right"] > 0.6,
            $"at their own norm, {predicted[0]["predicted_right"]:P0} of the positions are predicted"
        );
        Assert.True(
            predicted[1]["predicted_right"] < 0.3,
            $"at four times their norm, {predicted[1]["predicted_right"]:P0} are"
        );
        Assert.True(
            predicted[2]["predicted_right"] < 0.1,
            $"at sixteen times their norm, {predicted[2]["predicted_right"]:P0} are"
        );
        Assert.Equal(16, predicted[2]["norm"] / predicted[0]["norm"], 1e-3);
    }

    [Fact]
    public void Estimate_IsTheMeanAndHoldsItInItsInterval()
    {
        var estimate = Estimate.Of([1, 2, 3, 4, 5, 6, 7, 8]);
        Assert.Equal(4.5, estimate.Mean);
        Assert.InRange(estimate.Low, 2.5, 3.5); // mean ± 1.96·s/√n is 2.9 to 6.1 with the bootstrap's s
        Assert.InRange(estimate.High, 5.5, 6.5);
    }
}
