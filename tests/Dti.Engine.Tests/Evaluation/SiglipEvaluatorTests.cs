using Dti.Engine.Evaluation;
using Dti.Engine.Tokenization;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Evaluation;

/// <summary>SigLIP against transformers: features and scores 1e-4.</summary>
public sealed class SiglipEvaluatorTests : IDisposable
{
    private const double Tolerance = 1e-4;
    private readonly EvaluatorFixture _fixture = new("siglip");
    private readonly SiglipEvaluator _evaluator;

    public SiglipEvaluatorTests() => _evaluator = (SiglipEvaluator)_fixture.Load();

    private Golden Golden => _fixture.Golden;

    [Fact]
    public void Forward_RecordedPixels_MatchesTransformers()
    {
        using var scope = NewDisposeScope();
        var (last, pooled) = _evaluator.Model.Vision.Forward(Golden["pixel_values"]);

        Golden.AssertClose(Golden["vision_last_hidden_state"], last, Tolerance, "last");
        Golden.AssertClose(Golden["vision_pooler_output"], pooled, Tolerance, "pooled");
    }

    [Fact]
    public void Forward_RecordedIds_MatchesTransformers()
    {
        using var scope = NewDisposeScope();
        var (last, pooled) = _evaluator.Model.Text.Forward(Golden["input_ids"]);

        Golden.AssertClose(Golden["text_last_hidden_state"], last, Tolerance, "last");
        Golden.AssertClose(Golden["text_pooler_output"], pooled, Tolerance, "pooled");
    }

    [Fact]
    public void Tokenize_FixtureTexts_GivesTheSameIds()
    {
        var tokenizer = SiglipTokenizer.Load(_fixture.Folder, 64);

        Assert.Equal(Golden["input_ids"].data<long>(), _fixture.Texts.SelectMany(tokenizer.Tokenize).Select(id => (long)id));
    }

    [Fact]
    public void Score_RecordedPixels_GivesTheOfficialSigLipScore()
    {
        using var scope = NewDisposeScope();
        var score = _evaluator.Score(_evaluator.Model.Vision.Forward(Golden["pixel_values"]).PooledOutput, _evaluator.EncodeTexts(_fixture.Texts));

        Golden.AssertClose(Golden["sigmoid"], score, Tolerance, "scores");
        Assert.Equal(_fixture.Facts.GetProperty("official").GetProperty("evaluate_text_score").GetDouble(), Similarity.Paired(score).Average(), Tolerance);
    }

    [Fact]
    public void EncodeImages_Pictures_GivesWhatPillowsPixelsGive()
    {
        using var scope = NewDisposeScope();
        var pixels = ImagePreprocessor.Load(_fixture.Folder).PixelValues(_fixture.Images);

        Golden.AssertClose(Golden["pixel_values_pil"], pixels, 1e-6, "pixels");
        Golden.AssertClose(
            Golden["logits_per_image_pil"].sigmoid(), _evaluator.Score(_evaluator.EncodeImages(_fixture.Images), _evaluator.EncodeTexts(_fixture.Texts)), Tolerance, "scores");
    }

    public void Dispose()
    {
        _evaluator.Dispose();
        _fixture.Dispose();
    }
}
