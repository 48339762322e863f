using System.Globalization;
using Dti.Engine.Concepts;
using Dti.Engine.Models;
using Dti.Engine.Models.Families;
using Dti.Mini.Sheets;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>
/// The paper's cause (section 3): how well a token's position can be read after the first layer norm as its norm grows.
/// Two readings: the share of the variance that comes from the position, which <c>dti inspect</c> prints, and the share
/// of positions that the best linear reader tells right, fitted on three quarters of the vocabulary at its own norms
/// and tried on the rest.
/// </summary>
internal static class PositionStudy
{
    private static readonly double[] _factors = [0.5, 1, 2, 4, 8, 16];

    /// <summary>Rows: <c>words</c> by factor; then each learnt concept, by method and subject.</summary>
    public static ResultsFile Results { get; } = new("position.csv");

    /// <param name="folder">The work folder.</param>
    public static void Run(string folder)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var profile = ModelFamilies.BuiltIn.Read(MiniWorld.ModelFolder);
        var concepts = new DesignConcepts(folder, profile);
        StudyMethod[] methods = [StudyMethods.Default, StudyMethods.Inversion];
        concepts.Learn(
            from method in methods
            from index in Enumerable.Range(0, Design.Shown)
            select (method, index, 1)
        );
        var (vocabulary, positions) = ConceptInspection.ReadEmbeddings(profile);
        var everyFourth = arange(vocabulary.shape[0]).remainder(4).eq(0);
        var reader = new PositionReader(vocabulary[everyFourth.logical_not()], positions!);
        var held = vocabulary[everyFourth];
        foreach (var factor in _factors.Where(factor => !Results.Holds("words", Name(factor))))
        {
            Results.Add("words", Name(factor), reader.Read(held * factor));
        }

        foreach (var method in methods)
        {
            foreach (var index in Enumerable.Range(0, Design.Shown))
            {
                var name = index.ToString(CultureInfo.InvariantCulture);
                if (!Results.Holds(method.Name, name))
                {
                    var concept = concepts.Get(method, index, seed: 1).Encoders[0];
                    Results.Add(method.Name, name, reader.Read(tensor(concept.Embedding(0)).unsqueeze(0)));
                }
            }
        }
    }

    private static string Name(double factor) => factor.ToString(CultureInfo.InvariantCulture);
}

/// <summary>
/// Reads positions linearly: discriminants of the first layer norm's output, one class per position, one covariance for
/// all.
/// </summary>
internal sealed class PositionReader
{
    private readonly Tensor _positions; // (p, d)
    private readonly Tensor _weights; // (d, p)
    private readonly Tensor _bias; // (p)

    /// <param name="words">(t, d), embeddings of the words to fit on.</param>
    /// <param name="positions">(p, d)</param>
    public PositionReader(Tensor words, Tensor positions)
    {
        _positions = positions;
        var seen = Seen(words); // (t, p, d)
        var means = seen.mean([0]); // (p, d)
        var rest = (seen - means).flatten(0, 1);
        var covariance = rest.t().matmul(rest) / rest.shape[0];
        covariance += eye(covariance.shape[0]) * (1e-3 * covariance.diag().mean());
        _weights = linalg.solve(covariance, means.t());
        _bias = -0.5 * (means.t() * _weights).sum(0);
    }

    /// <summary>Both readings of embeddings, (t, d), and their mean norm.</summary>
    public Dictionary<string, double> Read(Tensor embeddings)
    {
        using var scope = NewDisposeScope();
        var predicted = (Seen(embeddings).matmul(_weights) + _bias).argmax(-1); // (t, p)
        return new()
        {
            ["norm"] = embeddings.norm(1, keepdim: false, p: 2f).mean().item<float>(),
            ["variance_share"] = PositionReadability.Of(embeddings, _positions),
            ["predicted_right"] = predicted.eq(arange(_positions.shape[0])).to(ScalarType.Float32).mean().item<float>(),
        };
    }

    /// <summary>
    /// What the first attention layer sees, except the layer norm's own weights, which do not matter to a linear
    /// reader.
    /// </summary>
    private Tensor Seen(Tensor embeddings) =>
        nn.functional.layer_norm(embeddings.unsqueeze(1) + _positions, [_positions.shape[1]]);
}
