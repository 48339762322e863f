using Dti.Engine.Evaluation;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Evaluation;

/// <summary>DINOv2 against transformers: features and similarities 1e-4.</summary>
public sealed class Dinov2EvaluatorTests : IDisposable
{
    private readonly EvaluatorFixture _fixture = new("dinov2");
    private readonly Dinov2Evaluator _evaluator;

    public Dinov2EvaluatorTests() => _evaluator = (Dinov2Evaluator)_fixture.Load();

    private Golden Golden => _fixture.Golden;

    [Fact]
    public void Forward_RecordedPixels_MatchesTransformers()
    {
        using var scope = NewDisposeScope();

        Golden.AssertClose("last_hidden_state", _evaluator.Model.Forward(Golden["pixel_values"]));
    }

    [Theory]
    [InlineData("native40")]
    [InlineData("down32")]
    [InlineData("wide_up")]
    [InlineData("tall")]
    [InlineData("ragged")]
    public void Forward_OtherSizes_InterpolatesPositionsAsTransformers(string name)
    {
        using var scope = NewDisposeScope();
        var grid = _fixture.Facts.GetProperty("sizes").GetProperty(name).GetProperty("grid");

        var positions = _evaluator.Model.PositionEmbeddings(grid[0].GetInt64(), grid[1].GetInt64());

        Golden.AssertClose($"{name}/position_embeddings", positions);
        Golden.AssertClose($"{name}/last_hidden_state", _evaluator.Model.Forward(Golden[$"{name}/pixel_values"]));
    }

    [Fact]
    public void Cosine_RecordedPixels_GivesTheOfficialSimilarity()
    {
        using var scope = NewDisposeScope();
        var official = _fixture.Facts.GetProperty("official");
        var images = _evaluator.Model.Forward(Golden["pixel_values"]).select(1, 0);
        var references = _evaluator.Model.Forward(Golden["references/pixel_values"]).select(1, 0);

        var similarity = Similarity.Cosine(images, references);
        var perImage = Similarity.RowMeans(similarity);

        Golden.AssertClose("cls", images);
        Golden.AssertClose("references/cls", references);
        Golden.AssertClose("similarity", similarity);
        Assert.Equal(
            official.GetProperty("value").GetProperty("mean").GetDouble(),
            perImage.Average(),
            Golden.Tolerance("similarity")
        );
        Assert.Equal(
            official.GetProperty("evaluate_score_three_images_batch_2").GetProperty("score").GetDouble(),
            new[] { perImage[0], perImage[1], perImage[0] }.Chunk(2).Average(batch => batch.Average()),
            Golden.Tolerance("similarity")
        );
    }

    [Fact]
    public void EncodeImages_Pictures_GivesWhatPillowsPixelsGive()
    {
        using var scope = NewDisposeScope();
        var preprocessor = ImagePreprocessor.Load(_fixture.Folder);

        Golden.AssertClose("pixel_values_pil", preprocessor.PixelValues(_fixture.Images));
        Golden.AssertClose("references/pixel_values_pil", preprocessor.PixelValues(_fixture.References));
        Golden.AssertClose(
            "similarity_pil",
            Similarity.Cosine(_evaluator.EncodeImages(_fixture.Images), _evaluator.EncodeImages(_fixture.References))
        );
    }

    [Fact]
    public void EncodeImages_MoreThanABatch_GivesEachPictureItsOwnRow()
    {
        using var scope = NewDisposeScope();
        var images = _fixture.Images;

        var features = _evaluator.EncodeImages([.. Enumerable.Range(0, 19).Select(i => images[i % 2])]);

        Assert.Equal([19L, 32], features.shape);
        Golden.AssertClose(features.narrow(0, 0, 2), features.narrow(0, 16, 2), 1e-6, "rows of two batches");
    }

    public void Dispose()
    {
        _evaluator.Dispose();
        _fixture.Dispose();
    }
}
