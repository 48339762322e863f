using Dti.Cli.Demo;

namespace Dti.Cli.Tests;

public class LineChartTests
{
    [Theory]
    [InlineData(0, 10, "0 2 4 6 8 10")]
    [InlineData(0.1, 0.34, "0.10 0.15 0.20 0.25 0.30")]
    [InlineData(1, 60, "20 40 60")]
    [InlineData(-3, 3, "-2 0 2")]
    public void Ticks_Range_AreRoundNumbers(double low, double high, string labels)
    {
        var axis = LineChart.Axis.Over(low, high, 0);

        Assert.Equal(labels, string.Join(" ", axis.Ticks().Select(axis.Label)));
    }

    [Fact]
    public void Over_ConstantWithRounding_DoesNotLookLikeChange()
    {
        var axis = LineChart.Axis.Over(0.4045, 0.4045001, leastSpan: 0.2);

        Assert.InRange(axis.Position(0.4045001) - axis.Position(0.4045), 0, 0.001);
    }

    [Fact]
    public void Draw_ValuesThatAreNotFinite_AreLeftOut()
    {
        var svg = LineChart.Draw(
            "loss",
            0,
            new LineChart.Series("loss", "line", [(1, 1), (2, double.NaN), (3, 2), (4, double.PositiveInfinity)])
        );

        Assert.DoesNotContain("NaN", svg, StringComparison.Ordinal);
        Assert.Equal(2, svg.Split("points=\"")[1].Split('"')[0].Split(' ').Length);
    }
}
