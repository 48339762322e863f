using Dti.Engine;
using Dti.Engine.Models;
using Dti.Server.Errors;

namespace Dti.Server.Libraries;

/// <summary>The autoencoders that can take a model's one's place. Folders are looked at on every call.</summary>
internal sealed class VaeLibrary(LibraryFolders folders)
{
    private readonly ProfileCache<AutoencoderProfile> _profiles = new(AutoencoderProfile.Read);

    /// <summary>Names of those that can be used.</summary>
    public IReadOnlyList<string> Names =>
        [.. Scan().Where(entry => entry.Profile is not null).Select(entry => entry.Name).Order(StringComparer.Ordinal)];

    /// <summary>One of them.</summary>
    /// <exception cref="DtiException">There is none of that name; close ones are listed.</exception>
    /// <exception cref="DtiException">It cannot be used.</exception>
    public AutoencoderProfile Get(string name)
    {
        var all = Scan();
        var entry = all.Find(entry => entry.Name == name)
            ?? throw Refusals.NotFound("vae", name, all.Select(entry => entry.Name));
        return entry.Profile
            ?? throw new DtiException(ErrorKind.FailedPrecondition, $"VAE '{name}' cannot be used: {entry.Problem}");
    }

    private List<Entry> Scan() =>
        [
            .. LibraryPath
                .Find(folders.Vae, AutoencoderProfile.IsAutoencoder)
                .Select(place =>
                {
                    var (profile, problem) = _profiles.Get(place.Path);
                    return new Entry(place.Name, profile, problem);
                }),
        ];

    private sealed record Entry(string Name, AutoencoderProfile? Profile, string Problem);
}
