using Dti.Engine.Evaluation;
using Dti.Engine.Tokenization;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Evaluation;

/// <summary>
/// CLIP against transformers: features and cosines 1e-4, logits 1e-3 (they carry exp(logit_scale) = 40).
/// </summary>
public sealed class ClipEvaluatorTests : IDisposable
{
    private readonly EvaluatorFixture _fixture = new("clip");
    private readonly ClipEvaluator _evaluator;

    public ClipEvaluatorTests() => _evaluator = (ClipEvaluator)_fixture.Load();

    private Golden Golden => _fixture.Golden;

    [Fact]
    public void Forward_RecordedPixels_MatchesTransformers()
    {
        using var scope = NewDisposeScope();
        var (last, pooled) = _evaluator.Model.Vision.Forward(Golden["pixel_values"]);

        Golden.AssertClose("vision_last_hidden_state", last);
        Golden.AssertClose("vision_pooler_output", pooled);
        Golden.AssertClose("image_features", _evaluator.Model.ImageFeatures(Golden["pixel_values"]));
    }

    [Fact]
    public void Forward_RecordedIds_MatchesTransformers()
    {
        using var scope = NewDisposeScope();
        var output = _evaluator.Model.Text.Forward(Golden["input_ids_77"]);

        // States of padding differ: transformers masks it, and what stands before it sees none of it either way.
        var text = Golden["attention_mask"].unsqueeze(-1); // (3, 20, 1)
        Golden.AssertClose("text_last_hidden_state", output.LastHiddenState.narrow(1, 0, 20) * text, recorded =>
            recorded * text
        );
        Golden.AssertClose("text_pooler_output", output.PooledOutput);
        Golden.AssertClose("text_features", output.TextEmbeds!);
    }

    [Fact]
    public void Tokenize_FixtureTexts_GivesTheSameIds()
    {
        var tokenizer = ClipTokenizer.Load(_fixture.Folder);

        Assert.Equal(
            Golden["input_ids_77"].data<long>(),
            _fixture.Texts.SelectMany(text => tokenizer.Tokenize(text).InputIds).Select(id => (long)id)
        );
    }

    [Fact]
    public void Score_RecordedPixels_GivesTheOfficialClipScore()
    {
        using var scope = NewDisposeScope();
        var texts = _evaluator.EncodeTexts(_fixture.Texts);
        var images = _evaluator.Model.ImageFeatures(Golden["pixel_values"]);
        var official = _fixture.Facts.GetProperty("official").GetProperty("value");

        var score = _evaluator.Score(images, texts);

        Golden.AssertClose("logits_per_image", score);
        Golden.AssertClose("cosine", Similarity.Cosine(images, texts));
        Assert.Equal(
            official.GetProperty("mean").GetDouble(),
            Similarity.RowMeans(score).Average(),
            Golden.Tolerance("logits_per_image")
        );
        Assert.Equal(
            official.GetProperty("row_mean").EnumerateArray().Select(mean => mean.GetSingle()),
            Similarity.RowMeans(score),
            Close
        );
    }

    [Fact]
    public void Cosine_RecordedPixelsOfReferences_MatchesClipI()
    {
        using var scope = NewDisposeScope();
        var images = _evaluator.Model.ImageFeatures(Golden["pixel_values"]);
        var references = _evaluator.Model.ImageFeatures(Golden["references/pixel_values"]);

        Golden.AssertClose("image_image_cosine", Similarity.Cosine(images, references));
    }

    [Fact]
    public void EncodeImages_Pictures_GivesWhatPillowsPixelsGive()
    {
        using var scope = NewDisposeScope();
        var pixels = ImagePreprocessor.Load(_fixture.Folder).PixelValues(_fixture.Images);
        var references = ImagePreprocessor.Load(_fixture.Folder).PixelValues(_fixture.References);

        Golden.AssertClose("pixel_values_pil", pixels);
        Golden.AssertClose("references/pixel_values_pil", references);
        Golden.AssertClose(
            "logits_per_image_pil",
            _evaluator.Score(_evaluator.EncodeImages(_fixture.Images), _evaluator.EncodeTexts(_fixture.Texts))
        );
    }

    public void Dispose()
    {
        _evaluator.Dispose();
        _fixture.Dispose();
    }

    private bool Close(float expected, float actual) =>
        Math.Abs(expected - actual) <= Golden.Tolerance("logits_per_image");
}
