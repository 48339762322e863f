using Dti.Engine.Models;

namespace Dti.Server.Libraries;

/// <summary>A model that was found.</summary>
/// <param name="Name">Its name in the library.</param>
/// <param name="Path">The folder, or the single file.</param>
/// <param name="RelativePath">Below the library's folder, with slashes.</param>
/// <param name="Profile">What it is; null if it cannot be used.</param>
/// <param name="Problem">Why it cannot; empty if it can.</param>
/// <param name="Incomplete">What it is, if it can be used with another autoencoder only.</param>
/// <param name="Fingerprint">Of a model whose weights are on other hosts alone; null: this host has it.</param>
internal sealed record ModelEntry(
    string Name,
    string Path,
    string RelativePath,
    ModelProfile? Profile,
    string Problem,
    ModelProfile? Incomplete = null,
    string? Fingerprint = null
)
{
    private const string NoAutoencoder =
        "It holds no autoencoder (VAE). Name one with --vae (options.vae): a file below ComfyUI's models/vae that 'dti models list' shows.";

    /// <summary>Whether this host has its weights.</summary>
    public bool IsHere => Fingerprint is null;

    /// <summary>What was found at a place.</summary>
    /// <param name="place">Where.</param>
    /// <param name="profile">What it is; null: it cannot be read.</param>
    /// <param name="problem">Why not.</param>
    public static ModelEntry Of(LibraryPath place, ModelProfile? profile, string problem) =>
        profile is { LacksAutoencoder: true }
            ? new(place.Name, place.Path, place.RelativePath, null, NoAutoencoder, profile)
            : new(place.Name, place.Path, place.RelativePath, profile, problem);
}
