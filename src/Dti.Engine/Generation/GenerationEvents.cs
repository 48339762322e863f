using Dti.Engine.Imaging;

namespace Dti.Engine.Generation;

/// <summary>What a generation reports as it goes.</summary>
public abstract record GenerationEvent;

/// <summary>A sampling step was done.</summary>
/// <param name="Step">Steps done over all images, from 1.</param>
/// <param name="TotalSteps">Steps of all images.</param>
/// <param name="Preview">
/// Every <see cref="GenerationSettings.PreviewEvery"/> steps: the model's prediction of the image, one pixel per
/// latent, computed without the autoencoder.
/// </param>
public sealed record SamplingStep(int Step, int TotalSteps, GeneratedImage? Preview = null) : GenerationEvent;

/// <summary>An image is ready.</summary>
/// <param name="Index">From 0.</param>
/// <param name="Image">The image.</param>
/// <param name="Prompt">Its prompt, as the model read it.</param>
/// <param name="T">Interpolation only: position between the two concepts after easing, 0 to 1.</param>
public sealed record GeneratedImage(int Index, RgbImage Image, string Prompt, double? T = null) : GenerationEvent;

/// <summary>Something the user should know.</summary>
/// <param name="Code">Stable, in CAPITALS.</param>
/// <param name="Message">One sentence.</param>
public sealed record GenerationWarning(string Code, string Message) : GenerationEvent;
