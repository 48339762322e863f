using static TorchSharp.torch;

namespace Dti.Engine.Schedulers;

/// <summary>
/// What a model's folder says of its noise process: enough to make the process, and to know which samplers suit it.
/// </summary>
public abstract record NoiseProcessConfig
{
    /// <summary>diffusers' class, <c>PNDMScheduler</c>.</summary>
    public required string ClassName { get; init; }

    /// <summary>What the model predicts.</summary>
    public required PredictionType PredictionType { get; init; }

    /// <summary>What a caller may say that the model predicts.</summary>
    public abstract IReadOnlyList<PredictionType> Predictions { get; }

    /// <summary>Names of the samplers that suit it, in alphabetical order.</summary>
    public abstract IReadOnlyList<string> Samplers { get; }

    /// <summary>The sampler that the model was published with.</summary>
    public abstract string DefaultSampler { get; }

    /// <summary>
    /// The model's own class where it is not implemented, so that <see cref="DefaultSampler"/> takes its place; null:
    /// it is.
    /// </summary>
    public virtual string? SubstitutedClass => null;

    /// <summary>The process.</summary>
    /// <param name="device">Where the latents are; null: on the CPU.</param>
    public abstract INoiseProcess CreateProcess(Device? device = null);

    /// <summary>Prepares a run of a sampler.</summary>
    /// <param name="name">One of <see cref="Samplers"/>.</param>
    /// <param name="steps">Sampling steps, 1 or more.</param>
    /// <exception cref="DtiException">More steps than the process has.</exception>
    public abstract IScheduler CreateSampler(string name, int steps);
}
