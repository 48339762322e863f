using Dti.Engine.Models;
using Dti.Engine.Models.Families;

namespace Dti.Server.Libraries;

/// <summary>
/// Models that only other hosts of the cluster have. Their profiles are read from metadata, so requests can be checked
/// here. Thread-safe.
/// </summary>
internal sealed class RemoteModels
{
    private readonly ProfileCache<ModelProfile> _profiles = new(ModelFamilies.BuiltIn.Read);
    private volatile IReadOnlyList<ModelEntry> _entries = [];

    /// <summary>The models by name.</summary>
    public IReadOnlyList<ModelEntry> Entries => _entries;

    /// <summary>Adds a model, or replaces the one of that name.</summary>
    /// <param name="name">Its name in the libraries of the hosts that have it.</param>
    /// <param name="fingerprint">Its fingerprint.</param>
    /// <param name="path">Its metadata: a model folder or a single file.</param>
    public void Set(string name, string fingerprint, string path)
    {
        var (profile, problem) = _profiles.Get(path);
        var entry = ModelEntry.Of(new LibraryPath(name, path, name), profile, problem) with
        {
            Fingerprint = fingerprint,
        };
        _entries = [.. _entries.Where(other => other.Name != name), entry];
    }
}
