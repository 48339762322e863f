using System.Globalization;
using System.Text.RegularExpressions;
using Dti.Engine.Checkpoints;
using Dti.Engine.Models.Families;

namespace Dti.Engine.Concepts;

/// <summary>
/// Which tensors of a file are an embedding's vectors, by their names (<see cref="EmbeddingKeys"/>).
/// </summary>
/// <param name="Encoders">For each text encoder the tensors whose rows are its vectors, in order.</param>
/// <param name="Keys">
/// What each encoder's tensor is called in files for several encoders; null: the file is for one encoder.
/// </param>
/// <param name="Placeholder">What the file calls the embedding; null: it does not.</param>
/// <param name="Ignored">Tensors that are passed over.</param>
internal sealed partial record EmbeddingTensors(
    IReadOnlyList<IReadOnlyList<SafetensorsEntry>> Encoders,
    IReadOnlyList<string>? Keys,
    string? Placeholder,
    IReadOnlyList<string> Ignored
)
{
    private const int Shown = 6; // names in a message

    /// <summary>Sorts a file's tensors.</summary>
    /// <param name="file">The file.</param>
    /// <param name="wanted">
    /// Which embedding of a LoRA's bundle is wanted, where it has several: its name or placeholder; null: none is.
    /// </param>
    /// <exception cref="DtiException">
    /// It is no embedding, holds tensors that no tool writes, or several embeddings of other names.
    /// </exception>
    public static EmbeddingTensors Of(SafetensorsFile file, string? wanted)
    {
        string[] names = [.. file.Tensors.Keys];
        if (Bundles(file, names) is { Count: > 0 } bundles)
        {
            var chosen =
                bundles.Count == 1
                    ? bundles.First()
                    : bundles.FirstOrDefault(bundle => wanted is not null && Plain(bundle.Key) == Plain(wanted));
            string[] others = [.. names.Where(name => !IsBundled(name))];
            return chosen.Key is not null
                ? Sort(file, chosen.Value, others, chosen.Key)
                : throw Bad(
                    file,
                    $"it is a LoRA whose bundle holds several embeddings ({Some([.. bundles.Keys])}); "
                        + "import one of them under its own name"
                );
        }

        string[] tokens = [.. names.Where(name => Token().IsMatch(name))];
        var kind = TensorKinds.Of(names);
        if (tokens.Length > 0 && (kind == TensorKinds.Lora || (kind is null && tokens.Length > 1)))
        {
            string[] rest = [.. names.Except(tokens)];
            return kind is not null || rest.Length == 0 // pivotal tuning keeps its tokens beside the LoRA
                ? new(
                    [
                        [.. Ordered(tokens).Select(name => file.Tensors[name])],
                    ],
                    null,
                    Ordered(tokens).First(),
                    rest
                )
                : throw Unknown(file, rest);
        }

        if (kind is not null)
        {
            throw Bad(file, $"it is {kind}, by its tensor {names.First(name => TensorKinds.Of([name]) == kind)}");
        }

        return Sort(file, names.ToDictionary(name => name, name => name), [], null);
    }

    /// <summary>Sorts the tensors of one embedding.</summary>
    /// <param name="file">The file.</param>
    /// <param name="named">Tensors by what they are called within the embedding.</param>
    /// <param name="others">Tensors of the file that are not the embedding's.</param>
    /// <param name="placeholder">What the file calls it.</param>
    private static EmbeddingTensors Sort(
        SafetensorsFile file,
        Dictionary<string, string> named,
        IReadOnlyList<string> others,
        string? placeholder
    )
    {
        var layout = ModelFamilies.BuiltIn.Embeddings.FirstOrDefault(layout =>
            layout.Keys.Count > 1 && layout.Keys.All(key => named.ContainsKey(key.Key))
        );
        string[] own = layout is null ? [] : [.. layout.Keys.Select(key => key.Key)];
        EmbeddingFileKey[] known = [.. named.Keys.Except(own).Select(EmbeddingKeys.Find).OfType<EmbeddingFileKey>()];
        string[] unknown =
        [
            .. named.Keys.Except(own).Where(key => EmbeddingKeys.Find(key) is null).Select(key => named[key]),
        ];
        if (named.Count == 1 && unknown is [var only])
        {
            return new(
                [
                    [file.Tensors[only]],
                ],
                null,
                placeholder ?? only,
                others
            ); // the name is the placeholder
        }

        if (unknown.Length > 0)
        {
            throw Unknown(file, unknown);
        }

        if (known.FirstOrDefault(key => key.Use == EmbeddingKeyUse.Refused) is { } refused)
        {
            throw Bad(file, $"{refused.Note} (its tensors are {Some([.. named.Values])})");
        }

        string[] ignored =
        [
            .. others,
            .. known.Where(key => key.Use == EmbeddingKeyUse.Ignored).Select(key => named[key.Key]),
        ];
        EmbeddingFileKey[] vectors =
        [
            .. known.Where(key => key.Use != EmbeddingKeyUse.Ignored).OrderBy(key => key.Use),
        ];
        if (layout is null && vectors.Length == 0)
        {
            throw Bad(file, $"it holds no vectors but {Some([.. named.Values])}: {known[0].Note}");
        }

        var two = layout is null && vectors is [{ Use: EmbeddingKeyUse.First }, { Use: EmbeddingKeyUse.Second }];
        if (layout is null ? vectors.Length > 1 && !two : vectors.Length > 0)
        {
            var both = own.Concat(vectors.Select(key => key.Key)).Select(key => named[key]);
            throw Bad(file, $"its tensors {Some([.. both])} are those of two different tools");
        }

        string[] used = layout is null ? [.. vectors.Select(key => key.Key)] : own;
        return new(
            [.. used.Select(key => (SafetensorsEntry[])[file.Tensors[named[key]]])],
            layout is null ? null : own,
            placeholder,
            ignored
        );
    }

    private static bool IsBundled(string name) => name.StartsWith(EmbeddingKeys.BundlePrefix, StringComparison.Ordinal);

    /// <summary>The embeddings of a LoRA's bundle by name, each with its tensors by what it calls them.</summary>
    private static Dictionary<string, Dictionary<string, string>> Bundles(
        SafetensorsFile file,
        IEnumerable<string> names
    )
    {
        var bundles = new Dictionary<string, Dictionary<string, string>>(StringComparer.Ordinal);
        foreach (var name in names.Where(IsBundled))
        {
            var rest = name[EmbeddingKeys.BundlePrefix.Length..];
            var suffix = EmbeddingKeys
                .BundleSuffixes.FirstOrDefault(key =>
                    rest.Length > key.Key.Length && rest.EndsWith(key.Key, StringComparison.Ordinal)
                )
                ?.Key
                ?? throw Unknown(file, [name]);
            var bundle = rest[..^suffix.Length];
            bundles.TryAdd(bundle, new Dictionary<string, string>(StringComparer.Ordinal));
            if (!bundles[bundle].TryAdd(suffix == ".string_to_param.*" ? "emb_params" : suffix[1..], name))
            {
                throw Bad(file, $"the embedding '{bundle}' of its bundle has two sets of vectors for one text encoder");
            }
        }

        return bundles;
    }

    private static DtiException Unknown(SafetensorsFile file, IReadOnlyList<string> unknown) =>
        Bad(
            file,
            $"it holds {file.Tensors.Count} tensors, of which no tool's embedding file has {Some(unknown)}; known are "
                + string.Join(
                    ", ",
                    EmbeddingKeys.All.Where(key => key.Use != EmbeddingKeyUse.Refused).Select(key => key.Key)
                )
        );

    private static string Some(IReadOnlyList<string> names) =>
        string.Join(", ", names.Order(StringComparer.Ordinal).Take(Shown))
        + (names.Count > Shown ? $" and {names.Count - Shown} more" : "");

    /// <summary>A name as a concept in the library may have it: what it cannot hold makes no difference.</summary>
    private static string Plain(string name) => NoNameCharacter().Replace(name, "").ToUpperInvariant();

    /// <summary>
    /// The tokens of one concept in order: <c>&lt;cat&gt;</c>, <c>&lt;cat&gt;_1</c>, … or <c>&lt;s1&gt;</c>,
    /// <c>&lt;s2&gt;</c>, ….
    /// </summary>
    private static IOrderedEnumerable<string> Ordered(string[] tokens)
    {
        var counted = tokens.Any(token => !token.EndsWith('>'));
        return tokens
            .OrderBy(token => counted && token.EndsWith('>') ? -1 : NumberOf(token))
            .ThenBy(token => token, StringComparer.Ordinal);

        static int NumberOf(string token) =>
            int.TryParse(Number().Match(token).Value, CultureInfo.InvariantCulture, out var number) ? number : -1;
    }

    private static DtiException Bad(SafetensorsFile file, string why) =>
        new(ErrorKind.FailedPrecondition, $"{file.Path} is not an embedding file: {why}.");

    [GeneratedRegex(@"\A<[^<>]+>(_\d+)?\z", RegexOptions.CultureInvariant)]
    private static partial Regex Token();

    [GeneratedRegex(@"\d{1,6}(?=>?\z)", RegexOptions.CultureInvariant)]
    private static partial Regex Number();

    [GeneratedRegex("[^A-Za-z0-9]", RegexOptions.CultureInvariant)]
    private static partial Regex NoNameCharacter();
}
