namespace Dti.Engine.Schedulers;

/// <summary>The noise levels that a sampler visits, from noise to image.</summary>
/// <param name="Times">What the model is told at each call, n values.</param>
/// <param name="Levels">The sample's noise level at each call, and the one that the last step leads to: n + 1
/// values.</param>
/// <param name="InitNoiseSigma">What unit noise is multiplied by at the start.</param>
public sealed record SamplingSchedule(
    IReadOnlyList<double> Times,
    IReadOnlyList<NoiseLevel> Levels,
    double InitNoiseSigma
);
