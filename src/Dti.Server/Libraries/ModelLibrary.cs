using Dti.Engine;
using Dti.Engine.Checkpoints;
using Dti.Engine.Models;
using Dti.Server.Errors;
using Grpc.Core;

namespace Dti.Server.Libraries;

/// <summary>A model that was found.</summary>
/// <param name="Name">Its name in the library.</param>
/// <param name="Path">The folder, or the single file.</param>
/// <param name="Profile">What it is; null if it cannot be used.</param>
/// <param name="Problem">Why it cannot; empty if it can.</param>
internal sealed record ModelEntry(string Name, string Path, ModelProfile? Profile, string Problem);

/// <summary>The models in the configured folders. Folders are looked at on every call; a profile is read again only when its index, or its file, changed.</summary>
internal sealed class ModelLibrary(DtiServerOptions options)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, (DateTime Changed, ModelEntry Entry)> _known = new(StringComparer.Ordinal);

    /// <summary>All models by name. A second one of the same name is called <c>name-2</c>; a configured model takes the built-in one's place.</summary>
    public IReadOnlyList<ModelEntry> List()
    {
        var (configured, builtIn) = Scan();
        return [.. configured.Concat(builtIn is null ? [] : [builtIn]).OrderBy(entry => entry.Name, StringComparer.Ordinal)];
    }

    /// <summary>
    /// The name of the model that is used where a request names none; empty if there is none. Where models are configured it is one of
    /// those, though none be usable: who names a broken model is to hear of it.
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
            return (configured.FirstOrDefault(entry => entry.Profile is not null) ?? configured.FirstOrDefault() ?? builtIn)?.Name ?? "";
        }
    }

    /// <summary>A model that can be used.</summary>
    /// <param name="name">Its name; null: the default one.</param>
    /// <exception cref="Grpc.Core.RpcException">There is none of that name (close ones are listed), or it cannot be used.</exception>
    public ModelProfile Get(string? name)
    {
        var entry = Find(string.IsNullOrEmpty(name) ? DefaultName : name);
        return entry.Profile ?? throw new DtiException(ErrorKind.FailedPrecondition, $"Model '{entry.Name}' cannot be used: {entry.Problem}");
    }

    /// <summary>A model, usable or not.</summary>
    /// <exception cref="Grpc.Core.RpcException">There is none of that name.</exception>
    public ModelEntry Find(string name)
    {
        var all = List();
        if (all.Count == 0)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition, $"No model was found in {(options.ModelFolders.Count == 0 ? "no folder: none is configured" : string.Join(", ", options.ModelFolders))}.");
        }

        return all.FirstOrDefault(entry => entry.Name == name) ?? throw RpcErrors.NotFound("model", name, all.Select(entry => entry.Name)).ToRpcException();
    }

    /// <summary>The models in the configured folders, in the order of these, and the built-in one.</summary>
    private (List<ModelEntry> Configured, ModelEntry? BuiltIn) Scan()
    {
        lock (_lock)
        {
            var entries = new List<ModelEntry>();
            foreach (var path in options.ModelFolders.SelectMany(CheckpointsBelow).Select(System.IO.Path.GetFullPath).Distinct(StringComparer.Ordinal))
            {
                var name = NameOf(path);
                var unique = name;
                for (var i = 2; entries.Any(entry => entry.Name == unique); i++)
                {
                    unique = $"{name}-{i}";
                }

                entries.Add(Read(unique, path));
            }

            var builtIn = options.BuiltInModel is { } model && Checkpoint.IsCheckpoint(model) && entries.All(entry => entry.Name != NameOf(model))
                ? Read(NameOf(model), model)
                : null;
            return (entries, builtIn);
        }
    }

    private static string NameOf(string path) => File.Exists(path)
        ? System.IO.Path.GetFileNameWithoutExtension(path)
        : System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(path));

    private static IEnumerable<string> CheckpointsBelow(string path) =>
        Checkpoint.IsCheckpoint(path) ? [path]
        : Directory.Exists(path) ? Directory.GetFileSystemEntries(path).Where(Checkpoint.IsCheckpoint).Order(StringComparer.Ordinal)
        : [];

    private ModelEntry Read(string name, string path)
    {
        var changed = File.GetLastWriteTimeUtc(File.Exists(path) ? path : System.IO.Path.Combine(path, "model_index.json"));
        if (_known.TryGetValue(path, out var known) && known.Changed == changed && known.Entry.Profile is not null)
        {
            return known.Entry with { Name = name };
        }

        ModelEntry entry;
        try
        {
            entry = new ModelEntry(name, path, ModelProfile.Read(path), "");
        }
        catch (DtiException error)
        {
            entry = new ModelEntry(name, path, null, error.Message);
        }

        _known[path] = (changed, entry);
        return entry;
    }
}
