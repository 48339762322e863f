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

        var told = new[] { 1.0, 4, 16 }
            .Select(factor => reader.Read(vocabulary.narrow(0, 800, 300) * factor))
            .ToArray();

        Assert.True(
            told[0]["told_right"] > 0.6,
            $"at their own norm, {told[0]["told_right"]:P0} of the positions are told right"
        );
        Assert.True(told[1]["told_right"] < 0.3, $"at four times their norm, {told[1]["told_right"]:P0} are");
        Assert.True(told[2]["told_right"] < 0.1, $"at sixteen times their norm, {told[2]["told_right"]:P0} are");
        Assert.Equal(16, told[2]["norm"] / told[0]["norm"], 1e-3);
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
