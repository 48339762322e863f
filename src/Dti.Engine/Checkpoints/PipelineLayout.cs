using System.Text.Json;
using Dti.Engine.Tokenization;

namespace Dti.Engine.Checkpoints;

/// <summary>What a component of a pipeline does.</summary>
public enum ComponentRole
{
    /// <summary>Encodes prompts; has a tokenizer of the same number.</summary>
    TextEncoder,

    /// <summary>Turns a prompt into ids.</summary>
    Tokenizer,

    /// <summary>Predicts noise, velocity or flow.</summary>
    Denoiser,

    /// <summary>Images to latents and back.</summary>
    Autoencoder,
}

/// <summary>A component as <c>model_index.json</c> names it.</summary>
/// <param name="Name">Its folder: <c>unet</c>.</param>
/// <param name="ClassName">The class that loads it: <c>UNet2DConditionModel</c>.</param>
/// <param name="Role">What it does.</param>
public sealed record PipelineComponent(string Name, string ClassName, ComponentRole Role);

/// <summary>
/// A kind of model folder: the pipeline class that <c>model_index.json</c> names, and its components.
/// </summary>
/// <param name="ClassName">diffusers' class: <c>StableDiffusionPipeline</c>.</param>
/// <param name="LoadTokenizer">Reads a tokenizer's folder.</param>
/// <param name="Components">Those that Dti reads.</param>
public sealed record PipelineLayout(
    string ClassName,
    Func<string, ITokenizer> LoadTokenizer,
    params IReadOnlyList<PipelineComponent> Components
)
{
    /// <summary>
    /// The published config of the autoencoder, for folders without one; null: a folder has to hold its autoencoder.
    /// </summary>
    public Func<JsonElement>? AutoencoderConfig { get; init; }

    /// <summary>Its text encoders, in the order of their concept vectors.</summary>
    public IReadOnlyList<string> TextEncoders => Named(ComponentRole.TextEncoder);

    /// <summary>The component that predicts.</summary>
    public string Denoiser => Named(ComponentRole.Denoiser).Single();

    /// <summary>The autoencoder; null: latents are made without weights.</summary>
    public string? Autoencoder => Named(ComponentRole.Autoencoder).SingleOrDefault();

    private string[] Named(ComponentRole role) =>
        [.. Components.Where(component => component.Role == role).Select(component => component.Name)];
}
