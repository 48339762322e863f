using Dti.Engine.Models;
using Dti.Engine.Training;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// An initial word that is found, not given: the one with which the model predicts the noise of the photos best. All
/// candidates are tried on a few images, and the best of them on more, with the same noise for all.
/// </summary>
internal static class NearestWord
{
    private const int TriedImages = 4;
    private const int KeptWords = 64;
    private const int KeptImages = 20;
    private const int BatchSize = 40;

    /// <summary>The word of the lowest loss.</summary>
    /// <param name="words">Candidates, one token each.</param>
    /// <param name="model">A model with one text encoder.</param>
    /// <param name="settings">The settings of a training of one vector.</param>
    /// <param name="photos">The photos.</param>
    public static string Among(
        IReadOnlyList<string> words,
        IDiffusionModel model,
        TrainingSettings settings,
        TrainingSet photos
    )
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        using var batches = new BatchSampler(model, settings, photos);
        var kept = Best(words, KeptWords, TriedImages, model, batches, photos, settings.Seed);
        return Best(kept, 1, KeptImages, model, batches, photos, settings.Seed)[0];
    }

    /// <summary>The words of the lowest losses, the lowest first.</summary>
    private static string[] Best(
        IReadOnlyList<string> words,
        int count,
        int images,
        IDiffusionModel model,
        BatchSampler batches,
        TrainingSet photos,
        ulong seed
    )
    {
        PhotoCrop[] crops = [.. Enumerable.Range(0, images).Select(image => photos.CenterCrop(image % photos.Count))];
        var latents = model.Normalize(cat([.. crops.Select(crop => batches.Latents.Get(crop).Mean)]));
        using var generator = new Generator(seed, CPU);
        var noise = randn(latents.shape, ScalarType.Float32, CPU, generator: generator);
        var timesteps = model.NoiseProcess.TimesAt([
            .. Enumerable.Range(0, images).Select(image => (image + 0.5) / images),
        ]);
        var target = model.NoiseProcess.Target(latents, noise, timesteps);
        var ids = batches.Ids(["a photo of a {}"])[0];
        return
        [
            .. words
                .Chunk(Math.Max(1, BatchSize / images))
                .SelectMany(chunk => chunk.Zip(Losses(chunk)))
                .OrderBy(word => word.Second)
                .Take(count)
                .Select(word => word.First),
        ];

        float[] Losses(string[] chunk)
        {
            using var scope = NewDisposeScope();
            Tensor Repeated(Tensor each) => cat([.. chunk.Select(_ => each)]);
            var vocabulary = model.Profile.Encoders[0].Embeddings.VocabularySize;
            var placeholders = cat([
                .. chunk.Select(
                    (_, word) => ConceptBatch.OfConcept(word, ids, vocabulary, vectors: 1).expand(images, -1)
                ),
            ]);
            var (_, prediction) = new DenoisingLoss(model).Forward(
                new TrainingBatch(Repeated(latents), Repeated(noise), Repeated(timesteps), [placeholders]),
                [Embeddings(model, chunk)]
            );
            var error = (prediction.to(ScalarType.Float32) - Repeated(target)).square().mean([1, 2, 3]);
            return [.. error.view(chunk.Length, images).mean([1L]).data<float>().ToArray()];
        }
    }

    private static Tensor Embeddings(IDiffusionModel model, string[] words)
    {
        var tokenizer = model.Profile.Encoders[0].Tokenizer;
        return model
            .TextEncoders[0]
            .TokenEmbedding.index_select(
                0,
                tensor(words.Select(word => (long)tokenizer.Encode(word).Single()).ToArray())
            )
            .to(ScalarType.Float32);
    }
}
