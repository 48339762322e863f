using System.Text;
using Dti.Engine;
using Dti.Engine.Concepts;
using Dti.Engine.Runtime.Files;
using Dti.Server.Configuration;
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
    private const string ThumbnailEnding = ".png";
    private const string SummaryEnding = ".training.png"; // no concept is called so: names have no dots
    private const long MaxDescriptionBytes = 1024 * 1024;
    private const long MaxPictureBytes = 64 << 20;
    private static readonly string[] _endings = [".json", ".safetensors", ThumbnailEnding, SummaryEnding];
    private static readonly JsonFormatter _writer = new(JsonFormatter.Settings.Default.WithIndentation());
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly ILogger<ConceptLibrary> _logger;
    private readonly FolderJournal _journal;
    private readonly ConceptDescriptions _descriptions;
    private readonly EarlierVersions _earlier;

    public ConceptLibrary(
        DtiServerOptions options,
        TimeProvider time,
        ILogger<ConceptLibrary> logger,
        IFileStore? files = null
    )
    {
        _folder = Path.GetFullPath(options.ConceptFolder);
        _time = time;
        _logger = logger;
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

        _journal = new FolderJournal(_folder, files);
        _journal.Tidy(_folder);
        _descriptions = new ConceptDescriptions(_folder, TryRead);
        _earlier = new EarlierVersions(_folder, files);
    }

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
        return ConceptNames.IsValid(name) && File.Exists(PathOf(name, ".json"))
            ? TryRead(PathOf(name, ".json")) ?? new Concept { Name = name }
            : null;
    }

    /// <summary>One concept with its thumbnail; it is there.</summary>
    public Concept Get(string name)
    {
        using var alone = _journal.Enter();
        var concept = Read(PathOf(name, ".json"));
        concept.ThumbnailPng = Picture(name, ThumbnailEnding);
        concept.SummaryPng = Picture(name, SummaryEnding);
        return concept;
    }

    private ByteString Picture(string name, string ending) =>
        RegularFile.Is(PathOf(name, ending))
            ? ByteString.CopyFrom(RegularFile.ReadAllBytes(PathOf(name, ending), MaxPictureBytes))
            : ByteString.Empty;

    /// <summary>The vectors of a concept, which is there.</summary>
    public ConceptEmbedding Load(string name)
    {
        using var alone = _journal.Enter();
        return ConceptFile.Read(PathOf(name, ".safetensors"), Read(PathOf(name, ".json")).Placeholder);
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
                .Select(version => (Version: version, Concept: TryRead(_earlier.PathOf(name, version, ".json"))))
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
            _earlier.PathOf(name, version, ".safetensors"),
            Read(_earlier.PathOf(name, version, ".json")).Placeholder
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
        using var change = _journal.EnterToChange();
        return RestoreIn(change, name, version(), ownerOf);
    }

    private Concept RestoreIn(FolderChange change, string name, string version, Func<Concept?, string> ownerOf)
    {
        var concept = Read(_earlier.PathOf(name, version, ".json"));
        var embedding = ConceptFile.Read(_earlier.PathOf(name, version, ".safetensors"), concept.Placeholder);
        return SaveIn(change, concept, embedding, Bytes(ThumbnailEnding), Bytes(SummaryEnding), ownerOf);

        byte[] Bytes(string ending) =>
            _earlier.PathOf(name, version, ending) is var file && RegularFile.Is(file)
                ? RegularFile.ReadAllBytes(file, MaxPictureBytes)
                : [];
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
        using var change = _journal.EnterToChange();
        return SaveIn(change, concept, embedding, thumbnailPng, summaryPng, ownerOf);
    }

    /// <summary>A concept that a prompt could mean instead of another one; null: there is none.</summary>
    /// <param name="name">The other one's name.</param>
    /// <param name="placeholder">Its placeholder.</param>
    public Concept? Rival(string name, string placeholder) =>
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
        if (description.Length > MaxDescriptionBytes)
        {
            throw new DtiException(
                ErrorKind.InvalidArgument,
                $"The description of the concept takes {description.Length} bytes; at most {MaxDescriptionBytes} can be read back.",
                "data"
            );
        }

        if (replaced is not null)
        {
            _earlier.Keep(replaced, _endings);
        }

        _descriptions.Change(concept.Name + ".json", Write);
        return concept;

        void Write()
        {
            var file = concept.Name + ".safetensors";
            var read = ConceptFile
                .Read(
                    change.Add(file, stream =>
                        ConceptFile.Write(stream, embedding, ConceptFileFormat.Diffusers, ConceptMetadata.Of(concept))
                    )
                )
                .Encoders;
            if (
                read.Count != embedding.Encoders.Count
                || !read.Zip(embedding.Encoders).All(pair => Same(pair.First, pair.Second))
            )
            {
                throw new DtiException(
                    ErrorKind.FailedPrecondition,
                    $"{file} does not hold what was written to it; check the disk."
                );
            }

            foreach (
                var (name, png) in new[]
                {
                    (concept.Name + ThumbnailEnding, thumbnailPng),
                    (concept.Name + SummaryEnding, summaryPng),
                }
            )
            {
                if (!TryAdd(change, name, png))
                {
                    change.Remove(name); // of an older concept
                }
            }

            change.Add(concept.Name + ".json", stream => stream.Write(description));
            change.Commit();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _descriptions.Dispose();

    // A disk without room for a picture may have room for the concept, which is worth more.
    private bool TryAdd(FolderChange change, string name, ReadOnlyMemory<byte> picture)
    {
        try
        {
            if (picture.Length > 0)
            {
                change.Add(name, stream => stream.Write(picture.Span));
                return true;
            }
        }
        catch (DtiException error)
        {
            _logger.PictureUnwritten(name, error.Message);
        }

        return false;
    }

    /// <summary>Bytes on disk of what belongs to an owner.</summary>
    public long BytesOf(string owner) =>
        List()
            .Where(concept => concept.Owner == owner)
            .Sum(concept =>
                _earlier.BytesOf(concept.Name)
                + _endings
                    .Select(ending => new FileInfo(PathOf(concept.Name, ending)))
                    .Sum(file => file.Exists ? file.Length : 0)
            );

    /// <summary>Deletes a concept and its earlier versions.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="ensure">Throws where it is not to be deleted, null being that there is none; no other thread
    /// changes the library meanwhile.</param>
    public void Delete(string name, Action<Concept?> ensure)
    {
        using var change = _journal.EnterToChange();
        ensure(Find(name));
        _earlier.Delete(name);
        _descriptions.Change(name + ".json", () =>
        {
            try
            {
                Array.ForEach(_endings, ending => change.Remove(name + ending));
                change.Commit();
            }
            catch (DtiException error) when (error.Kind == ErrorKind.ResourceExhausted)
            {
                Array.ForEach(_endings, ending => change.RemoveNow(name + ending)); // a full disk has room for that
            }
        });
    }

    // Splitting an embedding into direction and magnitude again may round its last digit the other way.
    private static bool Same(DirectionalVectors read, DirectionalVectors written) =>
        read.Count == written.Count
        && read.Dimension == written.Dimension
        && Enumerable
            .Range(0, written.Count)
            .All(i =>
                read.Embedding(i)
                    .Zip(written.Embedding(i))
                    .All(pair => Math.Abs(pair.First - pair.Second) <= 1e-6f * written.Magnitudes[i])
            );

    private Concept? TryRead(string file)
    {
        try
        {
            return Read(file);
        }
        catch (DtiException error)
        {
            _logger.ConceptUnreadable(file, error.Message);
            return null;
        }
    }

    private static Concept Read(string file)
    {
        try
        {
            return ConceptMetadata.Reader.Parse<Concept>(RegularFile.ReadAllText(file, MaxDescriptionBytes));
        }
        catch (Exception error)
            when (error
                    is InvalidProtocolBufferException
                        or InvalidOperationException
                        or IOException
                        or UnauthorizedAccessException
            )
        {
            throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{file} cannot be read as a concept's description: {error.Message}",
                innerException: error
            );
        }
    }

    private string PathOf(string name, string extension) =>
        ConceptNames.IsValid(name)
            ? Path.Combine(_folder, name + extension)
            : throw new DtiException(ErrorKind.InvalidArgument, $"name must be {ConceptNames.Rule}.", "name");
}
