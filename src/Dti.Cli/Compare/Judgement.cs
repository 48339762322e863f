using Dti.Engine.Evaluation;
using Dti.Engine.Imaging;
using static TorchSharp.torch;

namespace Dti.Cli.Compare;

/// <summary>
/// Judges images as the paper does: with their prompts (text score), and with the subject's photos (image score).
/// </summary>
internal sealed class Judgement : IDisposable
{
    private readonly IReadOnlyList<(string Name, IImageEncoder Encoder)> _judges;

    /// <param name="folders">Of evaluators; none: the built-in judge.</param>
    /// <exception cref="Dti.Engine.DtiException">One cannot be loaded.</exception>
    public Judgement(IReadOnlyList<string> folders)
    {
        string[] all =
            folders.Count > 0 ? [.. folders] : [Path.Combine(AppContext.BaseDirectory, "models", "dti-mini-judge")];
        _judges =
        [
            .. all.Select(folder =>
                (Path.GetFileName(Path.TrimEndingDirectorySeparator(folder)), Evaluator.Load(folder))
            ),
        ];
    }

    /// <summary>
    /// Scores by name: <c>text</c>, cosine of each image with its own prompt, mean; <c>image</c>, with every photo,
    /// mean. Several judges: their names in front.
    /// </summary>
    /// <param name="pictures">The images.</param>
    /// <param name="prompts">What each was to show, in words.</param>
    /// <param name="photos">Of the subject.</param>
    public Dictionary<string, double> Score(
        IReadOnlyList<RgbImage> pictures,
        IReadOnlyList<string> prompts,
        IReadOnlyList<RgbImage> photos
    )
    {
        var scores = new Dictionary<string, double>();
        foreach (var (name, encoder) in _judges)
        {
            using var scope = NewDisposeScope();
            var seen = encoder.EncodeImages(pictures);
            var prefix = _judges.Count > 1 ? name + "_" : "";
            if (encoder is IImageTextEncoder both)
                scores[prefix + "text"] = Similarity
                    .Paired(Similarity.Cosine(seen, both.EncodeTexts(prompts)))
                    .Average();
            scores[prefix + "image"] = Similarity
                .RowMeans(Similarity.Cosine(seen, encoder.EncodeImages(photos)))
                .Average();
        }

        return scores;
    }

    public void Dispose()
    {
        foreach (var (_, encoder) in _judges)
            encoder.Dispose();
    }
}
