namespace Dti.ClientSdk;

/// <summary>What a training asks for. What is null takes the published default of the model's family.</summary>
public sealed record TrainingOptions
{
    /// <summary>Name of the model. Default: the server's default model.</summary>
    public string? Model { get; init; }

    /// <summary>What the photos show; chooses the prompt templates. Default <see cref="ConceptKind.Object"/>.</summary>
    public ConceptKind? Kind { get; init; }

    /// <summary>What is learnt, and how. Default <see cref="TrainingMethod.Dti"/>.</summary>
    public TrainingMethod? Method { get; init; }

    /// <summary>
    /// A preset of several settings; settings that are given individually take precedence. Default <see
    /// cref="TrainingPreset.Balanced"/>.
    /// </summary>
    public TrainingPreset? Preset { get; init; }

    /// <summary>
    /// From likeness to the photos (0) to obedience to long prompts (1): sets κ from 0 over the model's usual one in
    /// the middle to ten times that; <see cref="Kappa"/> takes precedence. <see cref="TrainingMethod.Dti"/> only.
    /// Default 0.5.
    /// </summary>
    public double? Obedience { get; init; }

    /// <summary>
    /// What stands for the concept in prompts: <c>&lt;identifier&gt;</c>. Default: the concept's name in angle
    /// brackets.
    /// </summary>
    public string? Placeholder { get; init; }

    /// <summary>
    /// Word or phrase whose token embeddings give the starting directions μ. Default "object", or "painting" for
    /// styles.
    /// </summary>
    public string? Initializer { get; init; }

    /// <summary>
    /// Name of a concept in the library from whose vectors training starts, imported ones included. Its directions are
    /// μ too, unless an <see cref="Initializer"/> is given. Default: the initializer.
    /// </summary>
    public string? StartConcept { get; init; }

    /// <summary>
    /// Texts that the concept is trained with, at most 1,000; <c>{concept}</c> says where it is named. Empty: the
    /// templates of the kind.
    /// </summary>
    public IReadOnlyList<string> Templates { get; init; } = [];

    /// <summary>A photo's opacity is its mask, where it has no other. Default false.</summary>
    public bool? UseAlpha { get; init; }

    /// <summary>Which text encoders learn. Default <see cref="LearntEncoders.All"/>.</summary>
    public LearntEncoders? TextEncoders { get; init; }

    /// <summary>Number of vectors, 1 to 32. Default: the number of tokens of the initializer.</summary>
    public int? VectorCount { get; init; }

    /// <summary>Optimiser steps, 1 to 100,000. Default: what the model's folder says, else 500.</summary>
    public int? Steps { get; init; }

    /// <summary>Photos of a batch, 1 to 64. Default 4.</summary>
    public int? BatchSize { get; init; }

    /// <summary>
    /// Batches whose gradients are averaged into one step, 1 to 64: a step is of <see cref="BatchSize"/> times as many
    /// photos, in the memory of one batch. Default 1.
    /// </summary>
    public int? GradientAccumulation { get; init; }

    /// <summary>
    /// Step length η on the sphere, or AdamW's learning rate; above 0 and at most 1, used as given, never scaled by the
    /// batch size. Default: what the model's folder says, else 0.01; for the other methods 0.005.
    /// </summary>
    public double? LearningRate { get; init; }

    /// <summary>
    /// κ, the strength of the von Mises–Fisher prior, 0 to 10. Default: what the model's folder says, else 1e-4. <see
    /// cref="TrainingMethod.Dti"/> only.
    /// </summary>
    public double? Kappa { get; init; }

    /// <summary>
    /// How κ goes over the run. Default <see cref="ClientSdk.KappaSchedule.Constant"/>. <see
    /// cref="TrainingMethod.Dti"/> only.
    /// </summary>
    public KappaSchedule? KappaSchedule { get; init; }

    /// <summary>
    /// λ of a pull λ·mean((e − e₀)²) toward the start, 0 to 1000. Default 0. Not for <see cref="TrainingMethod.Dti"/>,
    /// which has <see cref="Kappa"/>.
    /// </summary>
    public double? Regularization { get; init; }

    /// <summary>
    /// β of the second moment of the gradient's norm, 0 to below 1. Default 0: each step has length η. <see
    /// cref="TrainingMethod.Dti"/> only.
    /// </summary>
    public double? Beta { get; init; }

    /// <summary>
    /// How the fixed magnitude of the embedding is chosen. Default <see cref="ClientSdk.Magnitude.Mean"/>.
    /// </summary>
    public Magnitude? Magnitude { get; init; }

    /// <summary>The magnitude, with <see cref="ClientSdk.Magnitude.Value"/>: above 0, at most 1000.</summary>
    public double? MagnitudeValue { get; init; }

    /// <summary>Side of the square crops in pixels, a multiple of 8, 64 to 2048. Default: the model's own.</summary>
    public int? Resolution { get; init; }

    /// <summary>Crop the centre instead of a random place. Default false.</summary>
    public bool? CenterCrop { get; init; }

    /// <summary>Mirror half of the crops. Default false.</summary>
    public bool? RandomFlip { get; init; }

    /// <summary>Seed of every random choice. Default: chosen by the server and shown.</summary>
    public ulong? Seed { get; init; }

    /// <summary>
    /// Stop before all steps are done where checks say that nothing more is learnt, and keep the concept of the best
    /// check. Default false.
    /// </summary>
    public bool? StopEarly { get; init; }

    /// <summary>
    /// Measure the concept deterministically before the first step and every so many (<see cref="TrainingCheck"/>); 0:
    /// never. Default 0, or 25 to stop early.
    /// </summary>
    public int? CheckEvery { get; init; }

    /// <summary>
    /// Generate an image of each preview prompt before the first step too, with the initializer in the concept's place.
    /// Default false.
    /// </summary>
    public bool? PreviewBaseline { get; init; }

    /// <summary>
    /// Keep a snapshot every so many steps, from which training can go on; 0: only the newest. Default 100.
    /// </summary>
    public int? SnapshotEvery { get; init; }

    /// <summary>Generate previews every so many steps; 0: never. Default 100.</summary>
    public int? PreviewEvery { get; init; }

    /// <summary>Prompts of the previews; <c>{concept}</c> stands for the concept. Empty: one prompt by kind.</summary>
    public IReadOnlyList<string> PreviewPrompts { get; init; } = [];

    /// <summary>Sampling steps of a preview, 1 to 200. Default 20.</summary>
    public int? PreviewSteps { get; init; }

    /// <summary><c>auto</c>, <c>fp32</c>, <c>bf16</c> or <c>fp16</c>. Default <c>auto</c>.</summary>
    public string? Dtype { get; init; }

    /// <summary>
    /// Name of an autoencoder (<see cref="DtiClient.ListVaesAsync"/>) that takes the place of the model's own. Default:
    /// the model's own.
    /// </summary>
    public string? Vae { get; init; }

    /// <summary>What the model predicts: <c>epsilon</c> or <c>v_prediction</c>. Default: what it says itself.</summary>
    public string? PredictionType { get; init; }
}
