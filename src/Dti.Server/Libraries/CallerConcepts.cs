using Dti.Engine;
using Dti.Engine.Concepts;
using Dti.Server.Errors;
using Dti.Server.Security;
using Dti.V1;

namespace Dti.Server.Libraries;

/// <summary>
/// The library as one caller sees it: what belongs to others is not there, but for the names that it takes.
/// </summary>
internal sealed class CallerConcepts(ConceptLibrary library, Caller caller)
{
    private const string Exists = "CONCEPT_EXISTS";
    private const string NameTakenReason = "NAME_TAKEN";
    private const string PlaceholderExists = "PLACEHOLDER_EXISTS";

    /// <summary>Its concepts by name, without thumbnails; an admin's own before those of others.</summary>
    public IReadOnlyList<Concept> List() =>
        library.Lists.Get(library.List(), caller, all =>
            [.. all.Where(IsOwn), .. all.Where(concept => !IsOwn(concept) && IsSeen(concept))]
        );

    /// <summary>One concept with its thumbnail.</summary>
    /// <exception cref="DtiException">There is none of that name; close ones are listed.</exception>
    public Concept Get(string name)
    {
        using var alone = library.Enter();
        EnsureExists(name);
        return library.Get(name);
    }

    /// <summary>The vectors of a concept.</summary>
    /// <exception cref="DtiException">There is none of that name.</exception>
    public ConceptEmbedding Load(string name)
    {
        using var alone = library.Enter();
        EnsureExists(name);
        return library.Load(name);
    }

    /// <summary>The vectors of a concept, or of an earlier version of it, and its description.</summary>
    /// <param name="name">The concept's name.</param>
    /// <param name="version">Which version; empty: the current one.</param>
    /// <exception cref="DtiException">There is no concept of that name, or no such version of it.</exception>
    public (ConceptEmbedding Vectors, Concept Concept) Load(string name, string version)
    {
        using var alone = library.Enter();
        if (version.Length == 0)
        {
            return (Load(name), Get(name));
        }

        var earlier = Version(Versions(name), version);
        return (library.Load(name, earlier.Version), earlier);
    }

    /// <summary>The concepts that prompts name, as <c>&lt;placeholder&gt;</c>.</summary>
    /// <exception cref="DtiException">A token stands for no concept; close ones are listed.</exception>
    public IReadOnlyList<Concept> NamedIn(params ReadOnlySpan<string> prompts)
    {
        var tokens = new List<string>();
        foreach (var prompt in prompts)
        {
            tokens.AddRange(ConceptNames.In(prompt));
        }

        if (tokens.Count == 0)
        {
            return [];
        }

        var all = List();
        return
        [
            .. tokens
                .Distinct(StringComparer.OrdinalIgnoreCase)
                .Select(token =>
                    all.FirstOrDefault(concept =>
                        string.Equals(concept.Placeholder, token, StringComparison.OrdinalIgnoreCase)
                    ) ?? throw Refusals.NotFound("concept", token, all.Select(concept => concept.Placeholder))
                ),
        ];
    }

    /// <summary>
    /// A prompt in which each <c>embedding:NAME</c> is the placeholder of the concept of that name, or else of the one
    /// with the placeholder <c>&lt;NAME&gt;</c>.
    /// </summary>
    /// <exception cref="DtiException">There is none of that name; close ones are listed.</exception>
    public string ReplaceEmbeddings(string prompt)
    {
        var all = new Lazy<IReadOnlyList<Concept>>(List);
        return ConceptNames.ReplaceEmbeddings(
            prompt,
            name =>
                (
                    all.Value.FirstOrDefault(concept =>
                        string.Equals(concept.Name, name, StringComparison.OrdinalIgnoreCase)
                    )
                    ?? all.Value.FirstOrDefault(concept =>
                        string.Equals(concept.Placeholder, $"<{name}>", StringComparison.OrdinalIgnoreCase)
                    )
                )?.Placeholder,
            name => Refusals.NotFound("concept", name, all.Value.Select(concept => concept.Name))
        );
    }

    /// <summary>
    /// Refuses a name or a placeholder that a new concept cannot have. <see cref="Save"/> decides it again; this is for
    /// what takes long before.
    /// </summary>
    /// <param name="name">A valid name.</param>
    /// <param name="placeholder">Its placeholder; empty: the one of its name.</param>
    /// <param name="overwrite">Whether one of the caller's may be replaced.</param>
    /// <exception cref="DtiException">There is a concept of that name, or one that prompts could not distinguish from
    /// it.</exception>
    public void EnsureFree(string name, string placeholder, bool overwrite)
    {
        using var alone = library.Enter();
        EnsureFree(library.Find(name), name, placeholder, overwrite);
    }

    /// <summary>Saves a concept as the caller's; one that an admin replaces stays its owner's.</summary>
    /// <param name="concept">Its description.</param>
    /// <param name="embedding">Its vectors.</param>
    /// <param name="thumbnailPng">A small PNG; empty: none.</param>
    /// <param name="summaryPng">A PNG of its training; empty: none.</param>
    /// <param name="overwrite">Whether one of the caller's may be replaced.</param>
    /// <param name="admit">Throws where the caller may not store more; null: it may. Nothing is stored between this and
    /// the concept.</param>
    /// <exception cref="DtiException">The name or the placeholder is taken.</exception>
    public Concept Save(
        Concept concept,
        ConceptEmbedding embedding,
        ReadOnlyMemory<byte> thumbnailPng,
        ReadOnlyMemory<byte> summaryPng,
        bool overwrite,
        Action? admit = null
    ) => library.Save(concept, embedding, thumbnailPng, summaryPng, replaced =>
        {
            EnsureFree(replaced, concept.Name, concept.Placeholder, overwrite);
            admit?.Invoke();
            return OwnerOf(replaced, concept.Name);
        });

    /// <summary>
    /// Saves what a training has learnt, whatever has come under its name meanwhile: that becomes an earlier version.
    /// </summary>
    /// <param name="concept">Its description.</param>
    /// <param name="embedding">Its vectors.</param>
    /// <param name="thumbnailPng">A small PNG; empty: none.</param>
    /// <param name="summaryPng">A PNG of its training; empty: none.</param>
    /// <param name="ensure">Throws where the training has lost its job. Nothing is stored between this and the
    /// concept.</param>
    /// <exception cref="DtiException">The name has come to another caller meanwhile.</exception>
    public Concept SaveLearnt(
        Concept concept,
        ConceptEmbedding embedding,
        ReadOnlyMemory<byte> thumbnailPng,
        ReadOnlyMemory<byte> summaryPng,
        Action? ensure = null
    ) => library.Save(concept, embedding, thumbnailPng, summaryPng, replaced =>
        {
            ensure?.Invoke();
            return OwnerOf(replaced, concept.Name);
        });

    /// <summary>What a concept was before it was replaced, newest first.</summary>
    /// <exception cref="DtiException">There is none of that name.</exception>
    public IReadOnlyList<Concept> Versions(string name)
    {
        using var alone = library.Enter();
        EnsureExists(name);
        return library.Versions(name);
    }

    /// <summary>Makes an earlier version the current one.</summary>
    /// <param name="name">The concept's name.</param>
    /// <param name="version">Which one; empty: the newest.</param>
    /// <param name="admit">As for <see cref="Save"/>.</param>
    /// <exception cref="DtiException">There is no concept of that name, or no such version of it.</exception>
    public Concept Restore(string name, string version, Action admit)
    {
        return library.Restore(name, Wanted, replaced =>
        {
            admit();
            return OwnerOf(replaced, name);
        });

        string Wanted()
        {
            var known = Versions(name);
            var newest = known is [var first, ..] ? first.Version : "before the current one";
            return Version(known, version.Length > 0 ? version : newest).Version;
        }
    }

    /// <summary>Deletes a concept.</summary>
    /// <exception cref="DtiException">There is none of that name.</exception>
    public void Delete(string name) => library.Delete(name, concept => EnsureExists(concept, name));

    /// <summary>
    /// The refusal of a name that another caller has, for a concept, a training that can continue, or one that waits or
    /// runs.
    /// </summary>
    public static DtiException NameTaken(string name) =>
        Refusals.AlreadyExists($"The name '{name}' is taken; choose another one.", NameTakenReason);

    private static Concept Version(IReadOnlyList<Concept> known, string version) =>
        known.FirstOrDefault(concept => concept.Version == version)
        ?? throw Refusals.NotFound("version", version, known.Select(concept => concept.Version));

    private string OwnerOf(Concept? replaced, string name) =>
        replaced is null || IsSeen(replaced)
            ? replaced?.Owner is { Length: > 0 } owner
                ? owner
                : caller.Id
            : throw NameTaken(name);

    private void EnsureFree(Concept? replaced, string name, string placeholder, bool overwrite)
    {
        if (replaced is not null && !(overwrite && IsSeen(replaced)))
        {
            throw (
                IsSeen(replaced)
                    ? Refusals.AlreadyExists(
                        $"There is a concept '{name}' already; choose another name, or ask to overwrite it.",
                        Exists
                    )
                    : NameTaken(name)
            );
        }

        var own = placeholder.Length > 0 ? placeholder : $"<{name}>";
        if (replaced?.Placeholder != own && library.FindAmbiguous(name, own) is { } rival)
        {
            throw (
                IsSeen(rival)
                    ? Refusals.AlreadyExists(
                        $"Prompts could not tell '{name}' from the concept '{rival.Name}', which uses the placeholder {rival.Placeholder}; choose another name or placeholder.",
                        PlaceholderExists
                    )
                    : NameTaken(name)
            );
        }
    }

    private bool IsOwn(Concept concept) => concept.Owner == caller.Id;

    private bool IsSeen(Concept concept) => caller.MaySee(concept.Owner);

    private void EnsureExists(string name) => EnsureExists(library.Find(name), name);

    private void EnsureExists(Concept? concept, string name)
    {
        if (concept is null || !IsSeen(concept))
        {
            throw Refusals.NotFound("concept", name, List().Select(known => known.Name));
        }
    }
}
