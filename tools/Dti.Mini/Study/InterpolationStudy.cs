using Dti.Engine.Concepts;
using Dti.Mini.Sheets;
using Dti.Mini.Subjects;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// Likeness to both ends between two subjects: along the great circle of DTI's directions, and along the line between
/// TI's embeddings.
/// </summary>
internal static class InterpolationStudy
{
    /// <summary>Positions along the way, ends included.</summary>
    public const int Frames = 9;

    private const int Seeds = 4;

    /// <summary>A row per way, pair and position: <c>slerp</c> or <c>lerp</c>, <c>from/to/t</c>.</summary>
    public static ResultsFile Results { get; } = new("between.csv");

    public static void Run(StudyBench bench)
    {
        var subjects = SubjectCatalogue.All;
        var pairs = Enumerable
            .Range(0, subjects.Count)
            .Select(i => (From: subjects[i], To: subjects[(i + 1) % subjects.Count]));
        var (dti, ti) = (
            StudyMethods.Compared.Single(method => method.Name == "dti"),
            StudyMethods.Compared.Single(method => method.Name == "ti")
        );
        foreach (var (from, to) in pairs)
        {
            foreach (var (way, method) in ((string, StudyMethod)[])[("slerp", dti), ("lerp", ti)])
            {
                if (Results.Holds(way, $"{from.Name}/{to.Name}/{Frames - 1}"))
                {
                    continue;
                }

                using var scope = NewDisposeScope();
                var (a, b) = (bench.Concept(method, from), bench.Concept(method, to));
                var strip = new List<byte[]>();
                for (var frame = 0; frame < Frames; frame++)
                {
                    var t = frame / (Frames - 1.0);
                    var pictures = bench.Draw(
                        way == "slerp" ? Slerp.Between(a, b, t) : Lerp(a, b, t),
                        ["a photo of {concept}"],
                        Seeds
                    );
                    var reading = bench.Read(pictures);
                    strip.Add(pictures[0]);
                    Results.Add(
                        way,
                        $"{from.Name}/{to.Name}/{frame}",
                        new Dictionary<string, double>
                        {
                            ["t"] = t,
                            ["like_from"] = bench.Likeness(reading, from).Average(),
                            ["like_to"] = bench.Likeness(reading, to).Average(),
                        }
                    );
                }

                ContactSheet.Write(
                    Path.Combine(bench.Folder, "between", $"{from.Name}-{to.Name}-{way}.webp"),
                    Frames,
                    strip
                );
            }
        }
    }

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
