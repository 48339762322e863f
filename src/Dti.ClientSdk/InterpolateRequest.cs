namespace Dti.ClientSdk;

/// <summary>
/// What <see cref="DtiClient.InterpolateAsync"/> asks for: images along the great circle between two concepts.
/// </summary>
/// <param name="FromConcept">The concept at t = 0.</param>
/// <param name="ToConcept">The concept at t = 1.</param>
public sealed record InterpolateRequest(string FromConcept, string ToConcept)
{
    /// <summary>Number of images, 2 to 256, ends included. Default 8.</summary>
    public int? Frames { get; init; }

    /// <summary>How t runs over the frames. Default <see cref="ClientSdk.Easing.Linear"/>.</summary>
    public Easing? Easing { get; init; }

    /// <summary>The prompt; <c>{concept}</c> stands for the blend. Default "a photo of {concept}".</summary>
    public string? Prompt { get; init; }

    /// <summary>
    /// Everything else as in a generation; its prompt and number of images are not used. Every frame starts from the
    /// same noise.
    /// </summary>
    public GenerationOptions Options { get; init; } = new();
}
