using Dti.Engine.Models;
using Dti.Engine.Schedulers;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// The loss of latent diffusion (arXiv 2112.10752, equation 2) as a function of the concept's embedding alone: the mean
/// squared error between the model's prediction and its target, the noise or the velocity.
/// </summary>
internal sealed class DenoisingLoss(StableDiffusionModel model)
{
    private readonly NoiseSchedule _schedule = model.NoiseSchedule;

    /// <summary>Loss and its gradient with respect to the embedding's parameter.</summary>
    /// <returns>The loss, (), and the gradient, (n, d) fp32.</returns>
    public (Tensor Loss, Tensor Gradient) Evaluate(TrainingBatch batch, TrainableEmbedding embedding)
    {
        using var scope = NewDisposeScope();
        var (loss, _) = Forward(batch, embedding.Rows());
        var gradient = autograd.grad([loss], [embedding.Parameter])[0];
        return (loss.detach().MoveToOuterDisposeScope(), gradient.MoveToOuterDisposeScope());
    }

    /// <summary>Loss and prediction, differentiable with respect to the rows.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="rows">e, (n, d).</param>
    /// <returns>The loss, (), and the prediction, (B, C, h, w).</returns>
    public (Tensor Loss, Tensor Prediction) Forward(TrainingBatch batch, Tensor rows)
    {
        using var scope = NewDisposeScope();
        var dtype = model.Target.Dtype;
        var noisy = _schedule.AddNoise(batch.Latents, batch.Noise, batch.Timesteps).to(dtype);
        var states = model.Condition([batch.InputIds], [rows]).States;
        var prediction = model.UNet.Forward(noisy, batch.Timesteps, states);
        var target = _schedule.Target(batch.Latents, batch.Noise, batch.Timesteps);
        var loss = nn.functional.mse_loss(prediction.to(ScalarType.Float32), target);
        return (loss.MoveToOuterDisposeScope(), prediction.MoveToOuterDisposeScope());
    }
}
