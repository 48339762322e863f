using Dti.Engine.Concepts;
using Dti.Tests;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Concepts;

public class SlerpTests
{
    public static TheoryData<string> Pairs()
    {
        using var golden = new Golden(Fixtures.Common("slerp.safetensors"));
        return
        [
            .. golden
                .Names.Where(name => name.EndsWith("/exact_unit", StringComparison.Ordinal))
                .Select(name => name.Split('/')[0]),
        ];
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Directions_GoldenPairs_FollowTheGreatCircle(string pair)
    {
        using var golden = new Golden(Fixtures.Common("slerp.safetensors"));
        float[] a = golden[$"{pair}/a"].data<float>().ToArray(),
            b = golden[$"{pair}/b"].data<float>().ToArray();
        var ts = golden["t"].data<double>().ToArray();

        using var actual = tensor(ts.SelectMany(t => Slerp.Directions(a, b, t)).ToArray(), [ts.Length, a.Length]);

        golden.AssertClose($"{pair}/exact_unit", actual);
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public void Between_GoldenPairs_InterpolatesMagnitudesLinearly(string pair)
    {
        using var golden = new Golden(Fixtures.Common("slerp.safetensors"));
        var from = Concept("<a>", golden[$"{pair}/a"].data<float>().ToArray());
        var to = Concept("<b>", golden[$"{pair}/b"].data<float>().ToArray());
        var ts = golden["t"].data<double>().ToArray();

        using var actual = tensor(
            ts.SelectMany(t => Slerp.Between(from, to, t).Encoders[0].Embedding(0)).ToArray(),
            [ts.Length, from.Encoders[0].Dimension]
        );

        golden.AssertClose($"{pair}/exact_lerp_norm", actual);
    }

    [Fact]
    public void Directions_Antipodal_TakesOnePathAlongTheSphere()
    {
        float[] a = [0.6f, 0.8f, 0],
            b = [-0.6f, -0.8f, 0];

        var half = Slerp.Directions(a, b, 0.5);

        Assert.Equal(1, half.Sum(value => value * value), 1e-12);
        Assert.Equal(0, (half[0] * 0.6) + (half[1] * 0.8), 1e-7);
        Assert.Equal([0, 0, 1], half.Select(value => Math.Round(value, 9)));
        Assert.Equal(half, Slerp.Directions(a, b, 0.5));
        Assert.All(Slerp.Directions(a, b, 1).Zip(b), pair => Assert.Equal(pair.Second, pair.First, 1e-6));
    }

    [Fact]
    public void Directions_Identical_StaysThere() =>
        Assert.All(Slerp.Directions([3, 4], [6, 8], 0.3).Zip([0.6, 0.8]), pair =>
            Assert.Equal(pair.Second, pair.First, 1e-12)
        );

    [Fact]
    public void Between_DifferentNumbersOfVectors_IsRefusedWithBothCounts()
    {
        var error = Assert.Throws<DtiException>(() =>
            Slerp.Between(Concept("<a>", [1, 0]), Concept("<b>", [1, 0], [0, 1]), 0.5)
        );
        Assert.Contains("<a> has 1 vectors and <b> has 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Between_DifferentWidths_IsRefusedWithBothWidths()
    {
        var error = Assert.Throws<DtiException>(() =>
            Slerp.Between(Concept("<a>", [1, 0]), Concept("<b>", [1, 0, 0]), 0.5)
        );
        Assert.Contains("<a> has vectors of width 2 and <b> of width 3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void AnglesDegrees_RightAngle_IsNinety() =>
        Assert.Equal(90, Slerp.AnglesDegrees(Concept("<a>", [1, 0]), Concept("<b>", [0, 5]))[0], 1e-9);

    private static ConceptEmbedding Concept(string placeholder, params float[][] rows) =>
        new(placeholder, [DirectionalVectors.FromEmbeddings(rows)]);
}
