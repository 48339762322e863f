using Dti.Engine.Models;
using Dti.Engine.Schedulers;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// The loss of latent diffusion (arXiv 2112.10752, equation 2) as a function of the concept's embedding alone: the mean
/// squared error between the model's prediction and its target, the noise or the velocity.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="predictionType">What it predicts; null: as its config says.</param>
internal sealed class DenoisingLoss(StableDiffusionModel model, PredictionType? predictionType = null)
{
    private readonly NoiseSchedule _schedule = model.NoiseSchedule;

    /// <summary>Loss and its gradients with respect to the embeddings' parameters.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="embeddings">One per text encoder.</param>
    /// <returns>The loss, (), and the gradients, (n, d) fp32 each.</returns>
    public (Tensor Loss, IReadOnlyList<Tensor> Gradients) Evaluate(TrainingBatch batch, IReadOnlyList<TrainableEmbedding> embeddings)
    {
        using var scope = NewDisposeScope();
        var (loss, _) = Forward(batch, [.. embeddings.Select(embedding => embedding.Rows())]);
        var gradients = autograd.grad([loss], [.. embeddings.Select(embedding => embedding.Parameter)]);
        return (loss.detach().MoveToOuterDisposeScope(), [.. gradients.Select(gradient => gradient.MoveToOuterDisposeScope())]);
    }

    /// <summary>Loss and prediction, differentiable with respect to the rows.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="rows">e, (n, d), for each text encoder.</param>
    /// <returns>The loss, (), and the prediction, (B, C, h, w).</returns>
    public (Tensor Loss, Tensor Prediction) Forward(TrainingBatch batch, IReadOnlyList<Tensor> rows)
    {
        using var scope = NewDisposeScope();
        var dtype = model.Target.Dtype;
        var noisy = _schedule.AddNoise(batch.Latents, batch.Noise, batch.Timesteps).to(dtype);
        var (states, pooled) = model.Condition(batch.InputIds, rows);
        var added = pooled is null ? null : new AddedConditioning(pooled, batch.TimeIds!);
        var prediction = model.UNet.Forward(noisy, batch.Timesteps, states, added);
        var target = _schedule.Target(batch.Latents, batch.Noise, batch.Timesteps, predictionType);
        var loss = nn.functional.mse_loss(prediction.to(ScalarType.Float32), target);
        return (loss.MoveToOuterDisposeScope(), prediction.MoveToOuterDisposeScope());
    }
}
