using Dti.Engine;
using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Server.Configuration;
using Dti.Server.Errors;

namespace Dti.Server.Libraries;

/// <summary>
/// The models in the configured folders, and those that only other hosts of the cluster have. Folders are looked at on
/// every call, headers read again only where files changed.
/// </summary>
/// <param name="options">Name the default model and the built-in one.</param>
/// <param name="folders">Where models are.</param>
/// <param name="vaes">Autoencoders that can replace a model's own.</param>
/// <param name="remote">Models that only other hosts have; null: there are no other hosts.</param>
internal sealed class ModelLibrary(
    DtiServerOptions options,
    LibraryFolders folders,
    VaeLibrary vaes,
    RemoteModels? remote = null
)
{
    private readonly ProfileCache<ModelProfile> _profiles = new(ModelFamilies.BuiltIn.Read);
    private readonly ProfileCache<string> _fingerprints = new(ModelFingerprint.Of);

    /// <summary>
    /// All models by name (<see cref="LibraryPath"/>); a configured model takes the built-in one's place, and any model
    /// of this host that of another host.
    /// </summary>
    public IReadOnlyList<ModelEntry> List()
    {
        var (configured, builtIn) = Scan();
        return
        [
            .. configured
                .Concat(builtIn is null ? [] : [builtIn])
                .Concat(remote?.Entries ?? [])
                .DistinctBy(entry => entry.Name, StringComparer.Ordinal)
                .OrderBy(entry => entry.Name, StringComparer.Ordinal),
        ];
    }

    /// <summary>
    /// The name of the model that is used where a request names none; empty if there is none. Where models are
    /// configured it is one of those, though none be usable: who names a broken model is to hear of it.
    /// </summary>
    public string DefaultName
    {
        get
        {
            if (options.DefaultModel is { } asked)
            {
                return asked;
            }

            var (configured, builtIn) = Scan();
            return (
                configured.FirstOrDefault(entry => entry.Profile is not null) ?? configured.FirstOrDefault() ?? builtIn
            )?.Name
                ?? "";
        }
    }

    /// <summary>
    /// Checks that the configured default model is there: where it is not, no other one takes its place.
    /// </summary>
    /// <exception cref="ValidationException">There is no model of that name.</exception>
    public void EnsureDefaultExists()
    {
        if (options.DefaultModel is { } name && List() is var all && all.All(entry => entry.Name != name))
        {
            throw new ValidationException([
                new(
                    nameof(DtiServerOptions.DefaultModel),
                    $"DefaultModel: {Refusals.NotFound("model", name, all.Select(entry => entry.Name)).Message} The models are {string.Join(", ", all.Select(entry => entry.Name).DefaultIfEmpty("none"))}."
                ),
            ]);
        }
    }

    /// <summary>The name of the model that a request asks for; if it names none, the default model's.</summary>
    public string NameOrDefault(string? name) => string.IsNullOrEmpty(name) ? DefaultName : name;

    /// <summary>A model that can be used.</summary>
    /// <param name="name">Its name; null: the default one.</param>
    /// <param name="vae">Name of an autoencoder for it; null or empty: its own.</param>
    /// <exception cref="DtiException">There is none of that name; close ones are listed.</exception>
    /// <exception cref="DtiException">It cannot be used, or the autoencoder does not go with it.</exception>
    public ModelProfile Get(string? name, string? vae = null)
    {
        var entry = Find(NameOrDefault(name));
        if (entry.Incomplete is { } incomplete && !string.IsNullOrEmpty(vae))
        {
            return incomplete.With(vaes.Get(vae));
        }

        var profile = entry.Profile
            ?? throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"Model '{entry.Name}' cannot be used: {entry.Problem}"
            );
        return string.IsNullOrEmpty(vae) ? profile : profile.With(vaes.Get(vae));
    }

    /// <summary>A model, usable or not.</summary>
    /// <exception cref="DtiException">There is none of that name.</exception>
    public ModelEntry Find(string name)
    {
        var all = List();
        if (all.Count == 0)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"No model was found in {(folders.Models.Count == 0 ? "no folder: none is configured" : string.Join(", ", folders.Models))}."
            );
        }

        return all.FirstOrDefault(entry => entry.Name == name)
            ?? throw Refusals.NotFound("model", name, all.Select(entry => entry.Name));
    }

    /// <summary>The fingerprint of a model (<see cref="ModelFingerprint"/>); empty: it cannot be read.</summary>
    public string FingerprintOf(ModelEntry entry) => entry.Fingerprint ?? _fingerprints.Get(entry.Path).Profile ?? "";

    /// <summary>The models in the configured folders, in the order of these, and the built-in one.</summary>
    private (List<ModelEntry> Configured, ModelEntry? BuiltIn) Scan()
    {
        List<ModelEntry> entries = [.. LibraryPath.Find(folders.Models, Checkpoint.IsCheckpoint).Select(Read)];
        var builtIn = options.BuiltInModel is { } model
            ? LibraryPath.Find([model], Checkpoint.IsCheckpoint).Select(Read).FirstOrDefault()
            : null;
        return (entries, entries.Any(entry => entry.Name == builtIn?.Name) ? null : builtIn);
    }

    private ModelEntry Read(LibraryPath place)
    {
        var (profile, problem) = _profiles.Get(place.Path);
        return ModelEntry.Of(place, profile, problem);
    }
}
