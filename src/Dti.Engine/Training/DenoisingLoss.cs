using Dti.Engine.Models;
using Dti.Engine.Runtime;
using Dti.Engine.Runtime.Kernels;
using Dti.Engine.Schedulers;
using static TorchSharp.torch;

namespace Dti.Engine.Training;

/// <summary>
/// The loss of latent diffusion (arXiv 2112.10752, equation 2) as a function of the concept's embedding alone: the mean
/// squared error between the model's prediction and its target, the noise or the velocity.
/// </summary>
/// <param name="model">The model.</param>
/// <param name="predictionType">What it predicts; null: as its config says.</param>
internal sealed class DenoisingLoss(IDiffusionModel model, PredictionType? predictionType = null)
{
    /// <summary>Loss and its gradients with respect to the embeddings' parameters.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="embeddings">One per text encoder.</param>
    /// <returns>The loss, (), and the gradients, (n, d) fp32 each.</returns>
    public (Tensor Loss, IReadOnlyList<Tensor> Gradients) Evaluate(
        TrainingBatch batch,
        IReadOnlyList<TrainableEmbedding> embeddings
    )
    {
        using var scope = NewDisposeScope();
        model.UseOnly(ModelParts.TextEncoders | ModelParts.Denoiser);
        Tensor[] rows = [.. embeddings.Select(embedding => embedding.Rows())];
        Tensor[] parameters = [.. embeddings.Select(embedding => embedding.Parameter)];
        var (loss, gradients) = AutogradBridge.Run(() =>
            model.Memory.CheckpointActivations ? Recomputing(batch, rows, parameters) : Whole(batch, rows, parameters)
        );
        return (
            loss.detach().MoveToOuterDisposeScope(),
            [.. gradients.Select(gradient => gradient.MoveToOuterDisposeScope())]
        );
    }

    /// <summary>
    /// The same in parts, in the memory of one: the means of their losses and gradients, which are the whole's, since
    /// the parts are equal. (A sum would count so many times as much against the prior, whose κ is added to it.)
    /// </summary>
    /// <param name="batch">The batch.</param>
    /// <param name="embeddings">One per text encoder.</param>
    /// <param name="parts">How many; they divide the batch.</param>
    public (Tensor Loss, IReadOnlyList<Tensor> Gradients) Evaluate(
        TrainingBatch batch,
        IReadOnlyList<TrainableEmbedding> embeddings,
        int parts
    )
    {
        if (parts == 1)
        {
            return Evaluate(batch, embeddings);
        }

        using var scope = NewDisposeScope();
        var results = batch.Split(parts).Select(part => Evaluate(part, embeddings)).ToArray();
        Tensor[] gradients =
        [
            .. embeddings.Select(
                (_, encoder) => Mean(results.Select(result => result.Gradients[encoder])).MoveToOuterDisposeScope()
            ),
        ];
        return (Mean(results.Select(result => result.Loss)).MoveToOuterDisposeScope(), gradients);

        static Tensor Mean(IEnumerable<Tensor> parts) => stack(parts).mean([0L]);
    }

    /// <summary>Frees what the model keeps for the backward pass; the next evaluation makes it again.</summary>
    public void Release() => model.ReleaseTransposed();

    /// <summary>Loss and prediction, differentiable with respect to the rows.</summary>
    /// <param name="batch">The batch.</param>
    /// <param name="rows">e, (n, d), for each text encoder.</param>
    /// <param name="checkpoints">Of activations; null: none.</param>
    /// <returns>The loss, (), and the prediction, (B, C, h, w).</returns>
    public (Tensor Loss, Tensor Prediction) Forward(
        TrainingBatch batch,
        IReadOnlyList<Tensor> rows,
        ActivationCheckpoints? checkpoints = null
    )
    {
        using var scope = NewDisposeScope();
        var dtype = model.Target.Dtype;
        var noisy = model.NoiseProcess.AddNoise(batch.Latents, batch.Noise, batch.Timesteps).to(dtype);
        var conditioning = model.Condition(batch.InputIds, rows, checkpoints: checkpoints) with { Sizes = batch.Sizes };
        var prediction = model.Predict(noisy, batch.Timesteps, conditioning, checkpoints);
        var target = model.NoiseProcess.Target(batch.Latents, batch.Noise, batch.Timesteps, predictionType);
        var loss = batch.Mask is null
            ? nn.functional.mse_loss(prediction.to(ScalarType.Float32), target)
            : Masked(prediction.to(ScalarType.Float32) - target, batch.Mask);
        return (loss.MoveToOuterDisposeScope(), prediction.MoveToOuterDisposeScope());
    }

    /// <summary>
    /// Each image's mean over what its mask lets through, and of these the mean: a small concept counts as much as a
    /// large one.
    /// </summary>
    /// <param name="error">(B, C, h, w)</param>
    /// <param name="mask">(B, 1, h, w); an image that shows nothing of the concept adds nothing.</param>
    private static Tensor Masked(Tensor error, Tensor mask)
    {
        var squares = error.square().mean([1L], keepdim: true) * mask;
        return (squares.sum([1, 2, 3]) / mask.sum([1, 2, 3]).clamp(min: 1e-6)).mean();
    }

    private (Tensor Loss, IList<Tensor> Gradients) Whole(TrainingBatch batch, Tensor[] rows, Tensor[] parameters)
    {
        var (loss, _) = Forward(batch, rows);
        using var section = StepProfile.In(StepPart.WayBack);
        return (loss, autograd.grad([loss], parameters));
    }

    /// <summary>The same with checkpoints, which take the gradient as far as the rows.</summary>
    private (Tensor Loss, IList<Tensor> Gradients) Recomputing(TrainingBatch batch, Tensor[] rows, Tensor[] parameters)
    {
        using var checkpoints = new ActivationCheckpoints();
        Tensor[] leaves = [.. rows.Select(row => row.detach().requires_grad_(true))];
        var (loss, _) = Forward(batch, leaves, checkpoints);
        using var section = StepProfile.In(StepPart.WayBack);
        checkpoints.Backward(loss);
        return (loss, autograd.grad(rows, parameters, [.. leaves.Select(leaf => leaf.grad!)]));
    }
}
