using Dti.Engine;
using Dti.Engine.Concepts;
using Dti.Engine.Runtime.Files;
using Dti.Server.Telemetry;
using Dti.V1;
using Google.Protobuf;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Libraries;

/// <summary>
/// The files of concepts in a folder: <c>NAME.json</c> (the description), <c>NAME.safetensors</c> (the vectors),
/// <c>NAME.png</c> and <c>NAME.training.png</c>.
/// </summary>
/// <param name="folder">The folder.</param>
/// <param name="logger">Gets what cannot be read, and images that cannot be written.</param>
/// <param name="replica">Fetches files that are not here yet; null: all are.</param>
internal sealed class ConceptFiles(string folder, ILogger logger, FolderReplica? replica = null)
{
    /// <summary>The ending of descriptions.</summary>
    public const string Description = ".json";

    /// <summary>The ending of vectors.</summary>
    public const string Vectors = ".safetensors";

    /// <summary>The ending of thumbnails.</summary>
    public const string Thumbnail = ".png";

    /// <summary>The ending of images of a training. No concept is called so: names have no dots.</summary>
    public const string Summary = ".training.png";

    /// <summary>The most bytes that a description has.</summary>
    public const long MaxDescriptionBytes = 1024 * 1024;

    private const long MaxPictureBytes = 64 << 20;

    /// <summary>All endings, the description's first.</summary>
    public static IReadOnlyList<string> Endings { get; } = [Description, Vectors, Thumbnail, Summary];

    /// <summary>Where a file of a concept is.</summary>
    /// <exception cref="DtiException">The name is not valid.</exception>
    public string PathOf(string name, string extension) =>
        ConceptNames.IsValid(name)
            ? PathOf(name + extension)
            : throw new DtiException(ErrorKind.InvalidArgument, $"name must be {ConceptNames.Rule}.", "name");

    /// <summary>Where a file of a concept is, or of an earlier version.</summary>
    /// <param name="place">Relative to the library.</param>
    public string PathOf(string place)
    {
        replica?.Fetch(place);
        return Path.Combine(folder, place);
    }

    /// <summary>Whether there is a concept of a valid name.</summary>
    public bool Exists(string name) => ConceptNames.IsValid(name) && File.Exists(PathOf(name, Description));

    /// <summary>Bytes on disk of a concept.</summary>
    public long BytesOf(string name) =>
        replica?.BytesOf(name + ".")
        ?? Endings.Select(ending => new FileInfo(PathOf(name, ending))).Sum(file => file.Exists ? file.Length : 0);

    /// <summary>An image; empty: it is not there.</summary>
    /// <param name="path">Its file.</param>
    public static byte[] ReadPicture(string path) =>
        RegularFile.Is(path) ? RegularFile.ReadAllBytes(path, MaxPictureBytes) : [];

    /// <summary>A description; null: it cannot be read, which is logged.</summary>
    /// <param name="file">Its file.</param>
    public Concept? TryRead(string file)
    {
        try
        {
            return Read(file);
        }
        catch (DtiException error)
        {
            logger.ConceptUnreadable(file, error.Message);
            return null;
        }
    }

    /// <summary>A description.</summary>
    /// <param name="file">Its file.</param>
    /// <exception cref="DtiException">It cannot be read.</exception>
    public static Concept Read(string file)
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

    /// <summary>Adds the files of a concept to a change, then reads the vectors back and compares.</summary>
    /// <param name="change">The change.</param>
    /// <param name="concept">The description.</param>
    /// <param name="embedding">The vectors.</param>
    /// <param name="thumbnailPng">A small PNG; empty: none.</param>
    /// <param name="summaryPng">A PNG of the training; empty: none.</param>
    /// <param name="description">The description as it is written.</param>
    /// <exception cref="DtiException">The disk is full, or returns other vectors.</exception>
    public void Write(
        FolderChange change,
        Concept concept,
        ConceptEmbedding embedding,
        ReadOnlyMemory<byte> thumbnailPng,
        ReadOnlyMemory<byte> summaryPng,
        byte[] description
    )
    {
        var file = concept.Name + Vectors;
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
            var (name, png) in new[] { (concept.Name + Thumbnail, thumbnailPng), (concept.Name + Summary, summaryPng) }
        )
        {
            if (!TryAdd(change, name, png))
            {
                change.Remove(name); // of an older concept
            }
        }

        change.Add(concept.Name + Description, stream => stream.Write(description));
    }

    // A disk without room for an image may have room for the concept, which is worth more.
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
            logger.PictureUnwritten(name, error.Message);
        }

        return false;
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
}
