using System.Text;
using Dti.Engine;
using Dti.Engine.Concepts;
using Dti.Engine.Runtime.Files;
using Dti.Server.Configuration;
using Dti.Server.ObjectStorage;
using Dti.Server.Security;
using Dti.Server.Telemetry;
using Dti.V1;
using Google.Protobuf;
using Google.Protobuf.WellKnownTypes;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Libraries;

/// <summary>
/// The library of concepts: a folder with <c>NAME.safetensors</c>, <c>NAME.png</c>, <c>NAME.training.png</c> and
/// <c>NAME.json</c> for each. The last one is written last and deleted first: a concept exists only when it is
/// complete. All files of a concept are added, replaced or deleted as a whole, even if the process is killed meanwhile.
/// </summary>
internal sealed class ConceptLibrary : IDisposable
{
    private static readonly JsonFormatter _writer = new(JsonFormatter.Settings.Default.WithIndentation());
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly ConceptFiles _files;
    private readonly FolderReplica? _replica; // null: the library is this server's, or the hosts share the folder
    private readonly FolderJournal _journal;
    private readonly ReplicaLeftovers? _leftovers; // with a replica
    private readonly IConceptList _descriptions;
    private readonly EarlierVersions _earlier;

    public ConceptLibrary(
        DtiServerOptions options,
        TimeProvider time,
        ILogger<ConceptLibrary> logger,
        IFileStore? files = null,
        IObjectStore? store = null,
        IChangeLog? log = null
    )
    {
        _folder = Path.GetFullPath(options.ConceptFolder);
        _time = time;
        try
        {
            Directory.CreateDirectory(_folder);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"The concept folder {_folder} cannot be made: {error.Message}",
                innerException: error
            );
        }

        _replica = store is null
            ? null
            : new FolderReplica("concepts", _folder, store, log!, IsDescription, time, logger)
            {
                Apply = Apply,
                Restarting = () => (_descriptions as ReplicaDescriptions)?.Reset(),
            };
        _files = new ConceptFiles(_folder, logger, _replica);
        _journal = new FolderJournal(_folder, files, _replica);
        _leftovers = _replica is null ? null : new ReplicaLeftovers(_replica, _journal, store!);
        _journal.Tidy(_folder);
        _descriptions =
            _replica is not null ? new ReplicaDescriptions(_folder, _files.TryRead)
            : options.Cluster.IsUsed ? Index(files)
            : new ConceptDescriptions(_folder, _files.TryRead);
        _earlier = new EarlierVersions(_folder);
    }

    /// <summary>What callers see of its list.</summary>
    public CallerLists Lists { get; } = new();

    /// <summary>What a caller may see and do of it.</summary>
    public CallerConcepts For(Caller caller) => new(this, caller);

    /// <summary>Keeps other threads out until the scope is disposed of, for what is decided and then done.</summary>
    public Lock.Scope Enter() => _journal.Enter();

    /// <summary>All concepts by name, without thumbnails. Unreadable ones are logged and left out.</summary>
    public IReadOnlyList<Concept> List()
    {
        using var alone = _journal.Enter();
        return _descriptions.List();
    }

    /// <summary>Reads all descriptions before anyone lists them, without keeping others waiting.</summary>
    /// <exception cref="IOException">The folder cannot be read.</exception>
    public void ReadAhead(CancellationToken cancellationToken) =>
        _descriptions.ReadAhead(
            work =>
            {
                using var alone = _journal.Enter();
                work();
            },
            cancellationToken
        );

    /// <summary>
    /// One concept without thumbnails; of one that cannot be read the name alone; null: there is none of that name.
    /// </summary>
    public Concept? Find(string name)
    {
        using var alone = _journal.Enter();
        return _files.Exists(name)
            ? _files.TryRead(_files.PathOf(name, ConceptFiles.Description)) ?? new Concept { Name = name }
            : null;
    }

    /// <summary>One concept with its thumbnail; it is there.</summary>
    public Concept Get(string name)
    {
        using var alone = _journal.Enter();
        var concept = ConceptFiles.Read(_files.PathOf(name, ConceptFiles.Description));
        concept.ThumbnailPng = Picture(ConceptFiles.Thumbnail);
        concept.SummaryPng = Picture(ConceptFiles.Summary);
        return concept;

        ByteString Picture(string ending) => ByteString.CopyFrom(ConceptFiles.ReadPicture(_files.PathOf(name, ending)));
    }

    /// <summary>The vectors of a concept, which is there.</summary>
    public ConceptEmbedding Load(string name)
    {
        using var alone = _journal.Enter();
        return ConceptFile.Read(
            _files.PathOf(name, ConceptFiles.Vectors),
            ConceptFiles.Read(_files.PathOf(name, ConceptFiles.Description)).Placeholder
        );
    }

    /// <summary>
    /// What a concept was before it was replaced, newest first, without thumbnails. Unreadable ones are logged and left
    /// out.
    /// </summary>
    public IReadOnlyList<Concept> Versions(string name)
    {
        using var alone = _journal.Enter();
        return
        [
            .. _earlier
                .Versions(name)
                .Select(version =>
                    (Version: version, Concept: _files.TryRead(PathOf(name, version, ConceptFiles.Description)))
                )
                .Where(read => read.Concept is not null)
                .Select(read => With(read.Concept!, read.Version)),
        ];

        static Concept With(Concept concept, string version)
        {
            concept.Version = version;
            return concept;
        }
    }

    /// <summary>The vectors of an earlier version, which is one of <see cref="Versions"/>.</summary>
    public ConceptEmbedding Load(string name, string version)
    {
        using var alone = _journal.Enter();
        return ConceptFile.Read(
            PathOf(name, version, ConceptFiles.Vectors),
            ConceptFiles.Read(PathOf(name, version, ConceptFiles.Description)).Placeholder
        );
    }

    /// <summary>Makes an earlier version the current one, which is kept as an earlier version.</summary>
    /// <param name="name">The concept's name.</param>
    /// <param name="version">Chooses one of <see cref="Versions"/>; no other thread changes the library
    /// meanwhile.</param>
    /// <param name="ownerOf">As for <see cref="Save"/>.</param>
    /// <exception cref="DtiException">The version cannot be read, or the concept cannot be saved.</exception>
    public Concept Restore(string name, Func<string> version, Func<Concept?, string> ownerOf)
    {
        return _journal.Change(change => RestoreIn(change, name, version(), ownerOf));
    }

    private string PathOf(string name, string version, string ending) =>
        _files.PathOf(EarlierVersions.PlaceOf(name, version, ending));

    private static bool IsDescription(string place) =>
        place.EndsWith(ConceptFiles.Description, StringComparison.Ordinal);

    /// <summary>Applies a change by another host.</summary>
    private void Apply(IReadOnlyList<string> places, Action apply)
    {
        if (places.FirstOrDefault(place => IsDescription(place) && !place.Contains('/')) is { } description)
        {
            _descriptions.Change(description, apply);
        }
        else
        {
            apply();
        }
    }

    private ConceptIndex Index(IFileStore? files)
    {
        var index = new ConceptIndex(_journal, _folder, _files.TryRead, files);
        index.EnsureExists();
        return index;
    }

    private Concept RestoreIn(FolderChange change, string name, string version, Func<Concept?, string> ownerOf)
    {
        var concept = ConceptFiles.Read(PathOf(name, version, ConceptFiles.Description));
        var embedding = ConceptFile.Read(PathOf(name, version, ConceptFiles.Vectors), concept.Placeholder);
        return SaveIn(
            change,
            concept,
            embedding,
            Picture(ConceptFiles.Thumbnail),
            Picture(ConceptFiles.Summary),
            ownerOf
        );

        byte[] Picture(string ending) => ConceptFiles.ReadPicture(PathOf(name, version, ending));
    }

    /// <summary>
    /// Saves a concept, then reads it back and compares. One of that name that is there is kept as an earlier version.
    /// </summary>
    /// <param name="concept">Its description; name valid, vectors and time are filled in here.</param>
    /// <param name="embedding">Its vectors.</param>
    /// <param name="thumbnailPng">A small PNG; empty: none.</param>
    /// <param name="summaryPng">A PNG of its training; empty: none.</param>
    /// <param name="ownerOf">Gives the owner, from the concept that is replaced (null: none), or throws; no other
    /// concept is saved meanwhile.</param>
    /// <exception cref="DtiException">The disk is full or the folder cannot be written; an older concept of that name
    /// is still whole.</exception>
    public Concept Save(
        Concept concept,
        ConceptEmbedding embedding,
        ReadOnlyMemory<byte> thumbnailPng,
        ReadOnlyMemory<byte> summaryPng,
        Func<Concept?, string> ownerOf
    )
    {
        using var phase = Tracing.Phase("save");
        return _journal.Change(change => SaveIn(change, concept, embedding, thumbnailPng, summaryPng, ownerOf));
    }

    /// <summary>A concept that a prompt could mean instead of another one; null: there is none.</summary>
    /// <param name="name">The other one's name.</param>
    /// <param name="placeholder">Its placeholder.</param>
    public Concept? FindAmbiguous(string name, string placeholder) =>
        List()
            .FirstOrDefault(concept =>
                concept.Name != name && ConceptNames.AreAmbiguous(name, placeholder, concept.Name, concept.Placeholder)
            );

    private Concept SaveIn(
        FolderChange change,
        Concept concept,
        ConceptEmbedding embedding,
        ReadOnlyMemory<byte> thumbnailPng,
        ReadOnlyMemory<byte> summaryPng,
        Func<Concept?, string> ownerOf
    )
    {
        var vectors = embedding.Encoders[0];
        concept.Placeholder = embedding.Placeholder;
        concept.NumVectors = vectors.Count;
        concept.Dimension = vectors.Dimension;
        concept.Norms.Clear();
        concept.Norms.AddRange(
            embedding.Encoders.SelectMany(encoder => encoder.Magnitudes).Select(norm => (double)norm)
        );
        concept.Dimensions.Clear();
        concept.Dimensions.AddRange(embedding.Encoders.Select(encoder => encoder.Dimension));
        concept.Created = Timestamp.FromDateTimeOffset(_time.GetUtcNow());
        var replaced = Find(concept.Name);
        concept.Owner = ownerOf(replaced);
        var description = Encoding.UTF8.GetBytes(_writer.Format(concept));
        if (description.Length > ConceptFiles.MaxDescriptionBytes)
        {
            throw new DtiException(
                ErrorKind.InvalidArgument,
                $"The description of the concept takes {description.Length} bytes; at most {ConceptFiles.MaxDescriptionBytes} can be read back.",
                "data"
            );
        }

        if (replaced is not null)
        {
            _earlier.Keep(
                change,
                replaced,
                [
                    .. ConceptFiles
                        .Endings.Select(ending => (ending, Path: _files.PathOf(replaced.Name, ending)))
                        .Where(file => File.Exists(file.Path)),
                ]
            );
        }

        _descriptions.Change(concept.Name + ConceptFiles.Description, () =>
        {
            _files.Write(change, concept, embedding, thumbnailPng, summaryPng, description);
            change.Commit();
        });
        return concept;
    }

    /// <inheritdoc cref="TrainingRuns.DeleteLeftovers"/>
    public void DeleteLeftovers(DateTimeOffset now) => _leftovers?.Delete(now);

    /// <inheritdoc/>
    public void Dispose()
    {
        _descriptions.Dispose();
        _replica?.Dispose();
    }

    /// <summary>Bytes on disk of what belongs to an owner.</summary>
    public long BytesOf(string owner)
    {
        using var alone = _journal.Enter();
        return List()
            .Where(concept => concept.Owner == owner)
            .Sum(concept =>
                _files.BytesOf(concept.Name)
                + (_replica?.BytesOf(EarlierVersions.PlaceOf(concept.Name) + "/") ?? _earlier.BytesOf(concept.Name))
            );
    }

    /// <summary>Deletes a concept and its earlier versions.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="ensure">Throws where it is not to be deleted, null being that there is none; no other thread
    /// changes the library meanwhile.</param>
    public void Delete(string name, Action<Concept?> ensure) =>
        _journal.Change(change =>
        {
            ensure(Find(name));
            string[] places = [.. ConceptFiles.Endings.Select(ending => name + ending), EarlierVersions.PlaceOf(name)];
            _descriptions.Change(name + ConceptFiles.Description, () =>
            {
                try
                {
                    Array.ForEach(places, change.Remove);
                    change.Commit();
                }
                catch (DtiException error) when (error.Kind == ErrorKind.ResourceExhausted)
                {
                    Array.ForEach(places, change.RemoveNow); // a full disk has room for that
                }
            });
            return true;
        });
}
