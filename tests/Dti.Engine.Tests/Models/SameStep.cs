using Dti.Engine.Models.Families.StableDiffusion;
using Dti.Engine.Tests.Training;
using Dti.Engine.Training;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Models;

/// <summary>One training step's loss and gradients by two models that should agree.</summary>
internal static class SameStep
{
    /// <param name="whole">The model that is compared with.</param>
    /// <param name="other">Another way to compute the same.</param>
    /// <param name="evaluations">Of the other, of which the last counts.</param>
    public static (
        (Tensor Loss, IReadOnlyList<Tensor> Gradients) Expected,
        (Tensor Loss, IReadOnlyList<Tensor> Gradients) Actual
    ) Of(StableDiffusionModel whole, StableDiffusionModel other, int evaluations = 1)
    {
        var settings = TrainingSettings.Resolve(
            new TrainingOptions
            {
                BatchSize = 2,
                Resolution = 64,
                VectorCount = 2,
                Initializer = "white cat",
            },
            "x",
            whole.Profile,
            () => 1
        );
        using var batches = new BatchSampler(whole, settings, NoisePhotos.Load());
        var batch = batches.Next();
        TrainableEmbedding[] embeddings =
        [
            .. whole.TextEncoders.Select(
                (encoder, i) =>
                    new DirectionalEmbedding(
                        encoder.TokenEmbedding[TensorIndex.Slice(5, 7)],
                        settings.MagnitudeValues[i]
                    )
            ),
        ];

        var expected = new DenoisingLoss(whole).Evaluate(batch, embeddings);
        var objective = new DenoisingLoss(other);
        var actual = Enumerable.Range(0, evaluations).Select(_ => objective.Evaluate(batch, embeddings)).Last();
        Array.ForEach(embeddings, embedding => embedding.Dispose());
        return (expected, actual);
    }
}
