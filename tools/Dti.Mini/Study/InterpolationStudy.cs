using System.Collections.Concurrent;
using System.Globalization;
using Dti.Engine.Concepts;
using Dti.Mini.Sheets;
using Dti.Mini.Stages;
using Dti.Mini.World.Designs;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// What the images between two concepts show: along the great circle of DTI's directions (slerp), and along straight
/// lines between DTI's and between TI's embeddings (lerp), for all pairs of the shown designs. Rows are kept, so that a
/// killed run continues.
/// </summary>
internal sealed class InterpolationStudy
{
    /// <summary>Positions along the way, ends included.</summary>
    public const int Frames = 9;

    private const int Seeds = 2;

    private readonly string _folder;
    private readonly StudyModel _model;
    private readonly DesignConcepts _concepts;
    private readonly DesignReader _reader;

    /// <param name="folder">The work folder.</param>
    public InterpolationStudy(string folder)
    {
        _folder = Path.Combine(folder, "between");
        _model = new StudyModel();
        _concepts = new DesignConcepts(folder, _model.Profile);
        _reader = new DesignReader(_model.Tokenizer.VocabularySize);
    }

    /// <summary>A row per way, pair and frame: <c>slerp</c>, <c>from/to/frame</c>.</summary>
    public static ResultsFile Results { get; } = new("between.csv");

    private static IReadOnlyList<(string Name, StudyMethod Method, Blend Blend)> Ways { get; } =
    [
        ("slerp", StudyMethods.PaperKappa, Slerp.Between),
        ("lerp", StudyMethods.PaperKappa, Lerp),
        ("ti-lerp", StudyMethods.Inversion, Lerp),
    ];

    private delegate ConceptEmbedding Blend(ConceptEmbedding from, ConceptEmbedding to, double t);

    /// <summary>Generates and reads all pairs of the shown designs.</summary>
    public void Run()
    {
        _concepts.Learn(from way in Ways from index in Enumerable.Range(0, Design.Shown) select (way.Method, index, 1));
        var pairs =
            from a in Enumerable.Range(0, Design.Shown)
            from b in Enumerable.Range(a + 1, Design.Shown - a - 1)
            select (From: a, To: b);
        var strips = new ConcurrentDictionary<(string Way, int From, int To), byte[][]>();
        EachCore.Run(from pair in pairs from way in Ways select (pair.From, pair.To, Way: way), strip =>
            strips[(strip.Way.Name, strip.From, strip.To)] = Strip(
                strip.Way.Name,
                strip.Way.Method,
                strip.Way.Blend,
                strip.From,
                strip.To
            )
        );
        foreach (var way in Ways)
        {
            ContactSheet.WriteHalved(
                Path.Combine(_folder, way.Name + ".webp"),
                2 * Frames,
                [.. pairs.SelectMany(pair => strips[(way.Name, pair.From, pair.To)])]
            );
        }
    }

    /// <summary>The images of a pair's first seed.</summary>
    private byte[][] Strip(string way, StudyMethod method, Blend blend, int from, int to)
    {
        var (a, b) = (_concepts.Get(method, from, seed: 1), _concepts.Get(method, to, seed: 1));
        var states = cat([
            .. Enumerable
                .Range(0, Frames)
                .Select(frame =>
                    _model.Encode([blend(a, b, frame / (Frames - 1.0))], [$"a photo of a {a.Placeholder} in a meadow"])
                ),
        ]);
        byte[][][] images = [.. Enumerable.Range(0, Seeds).Select(seed => _model.Sample(states, Sampling.Study, seed))];
        if (Results.Holds(way, NameOf(from, to, Frames - 1)))
        {
            return images[0];
        }

        var read = images.Select(strip => _reader.Designs(strip)).ToArray();
        var (start, end) = (Design.HeldOut(from), Design.HeldOut(to));
        for (var frame = 0; frame < Frames; frame++)
        {
            Results.Add(
                way,
                NameOf(from, to, frame),
                new Dictionary<string, double>
                {
                    ["t"] = frame / (Frames - 1.0),
                    ["progress"] = read.Average(frames => frames[frame].Progress(frames[0], frames[^1])),
                    ["parts_from"] = read.Average(frames => frames[frame].PartsRight(start)),
                    ["parts_to"] = read.Average(frames => frames[frame].PartsRight(end)),
                    ["parts_either"] = read.Average(frames => frames[frame].PartsOfEither(start, end)),
                }
            );
        }

        return images[0];
    }

    private static string NameOf(int from, int to, int frame) =>
        string.Create(CultureInfo.InvariantCulture, $"{from}/{to}/{frame}");

    private static ConceptEmbedding Lerp(ConceptEmbedding start, ConceptEmbedding end, double t)
    {
        var (a, b) = (start.Encoders[0], end.Encoders[0]);
        return start with
        {
            Encoders =
            [
                DirectionalVectors.FromEmbeddings([
                    .. Enumerable
                        .Range(0, a.Count)
                        .Select(i =>
                            a.Embedding(i).Zip(b.Embedding(i), (p, q) => (float)(((1 - t) * p) + (t * q))).ToArray()
                        ),
                ]),
            ],
        };
    }
}
