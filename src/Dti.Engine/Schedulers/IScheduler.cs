using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>Samples one batch of latents, from noise to image; holds the state of that one run.</summary>
public interface IScheduler : IDisposable
{
    /// <summary>The timestep of each call of the model, from noisy to clean.</summary>
    IReadOnlyList<double> Timesteps { get; }

    /// <summary>σ of each call and 0, n + 1 values; empty where the scheduler does not count in σ.</summary>
    IReadOnlyList<float> Sigmas => [];

    /// <summary>What unit noise is multiplied by at the start.</summary>
    double InitNoiseSigma { get; }

    /// <summary>The sample as the model wants it.</summary>
    /// <param name="sample">(B, C, h, w) fp32</param>
    /// <param name="call">Index into <see cref="Timesteps"/>.</param>
    Tensor ScaleModelInput(Tensor sample, int call);

    /// <summary>The next sample. Calls are made in order, each once.</summary>
    /// <param name="modelOutput">What the model predicts, (B, C, h, w) fp32.</param>
    /// <param name="call">Index into <see cref="Timesteps"/>.</param>
    /// <param name="sample">The sample before the step.</param>
    /// <param name="noise">Gives unit noise of the sample's shape, fp32; asked once per call by schedulers that add
    /// noise, never by others.</param>
    Tensor Step(Tensor modelOutput, int call, Tensor sample, Func<Tensor> noise);

    /// <summary>What the model takes the finished sample to be, x₀. Changes nothing of the run.</summary>
    /// <param name="modelOutput">As <see cref="Step"/>.</param>
    /// <param name="call">As <see cref="Step"/>.</param>
    /// <param name="sample">The sample before the step.</param>
    Tensor Denoised(Tensor modelOutput, int call, Tensor sample);
}
