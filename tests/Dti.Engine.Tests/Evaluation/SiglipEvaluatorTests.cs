using Dti.Engine.Evaluation;
using Dti.Engine.Tokenization;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Evaluation;

/// <summary>SigLIP against transformers: features and scores 1e-4.</summary>
public sealed class SiglipEvaluatorTests : IDisposable
{
    private readonly EvaluatorFixture _fixture = new("siglip");
    private readonly SiglipEvaluator _evaluator;

    public SiglipEvaluatorTests() => _evaluator = (SiglipEvaluator)_fixture.Load();

    private Golden Golden => _fixture.Golden;

    [Fact]
    public void Forward_RecordedPixels_MatchesTransformers()
    {
        using var scope = NewDisposeScope();
        var (last, pooled) = _evaluator.Model.Vision.Forward(Golden["pixel_values"]);

        Golden.AssertClose("vision_last_hidden_state", last);
        Golden.AssertClose("vision_pooler_output", pooled);
    }

    [Fact]
    public void Forward_RecordedIds_MatchesTransformers()
    {
        using var scope = NewDisposeScope();
        var (last, pooled) = _evaluator.Model.Text.Forward(Golden["input_ids"]);

        Golden.AssertClose("text_last_hidden_state", last);
        Golden.AssertClose("text_pooler_output", pooled);
    }

    [Fact]
    public void Tokenize_FixtureTexts_GivesTheSameIds()
    {
        var tokenizer = SiglipTokenizer.Load(_fixture.Folder, 64);

        Assert.Equal(
            Golden["input_ids"].data<long>(),
            _fixture.Texts.SelectMany(tokenizer.Tokenize).Select(id => (long)id)
        );
    }

    [Fact]
    public void Score_RecordedPixels_GivesTheOfficialSigLipScore()
    {
        using var scope = NewDisposeScope();
        var score = _evaluator.Score(
            _evaluator.Model.Vision.Forward(Golden["pixel_values"]).PooledOutput,
            _evaluator.EncodeTexts(_fixture.Texts)
        );

        Golden.AssertClose("sigmoid", score);
        Assert.Equal(
            _fixture.Facts.GetProperty("official").GetProperty("evaluate_text_score").GetDouble(),
            Similarity.Paired(score).Average(),
            Golden.Tolerance("sigmoid")
        );
    }

    [Fact]
    public void EncodeImages_Pictures_GivesWhatPillowsPixelsGive()
    {
        using var scope = NewDisposeScope();
        var pixels = ImagePreprocessor.Load(_fixture.Folder).PixelValues(_fixture.Images);

        Golden.AssertClose("pixel_values_pil", pixels);
        Golden.AssertClose(
            "logits_per_image_pil",
            _evaluator.Score(_evaluator.EncodeImages(_fixture.Images), _evaluator.EncodeTexts(_fixture.Texts)),
            logits => logits.sigmoid()
        );
    }

    public void Dispose()
    {
        _evaluator.Dispose();
        _fixture.Dispose();
    }
}
