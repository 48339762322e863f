using Dti.Engine.Runtime;

namespace Dti.Engine.Tests.Runtime;

public class Pcg32Tests
{
    [Fact]
    public void NextUInt32_PublishedSeed_GivesThePublishedNumbers()
    {
        // pcg32-demo of the reference implementation: seed 42, stream 54.
        var random = new Pcg32(42, 54);

        Assert.Equal(
            [0xa15c02b7, 0x7b47f409, 0xba1d3330, 0x83d2f293, 0xbfa4784b, 0xcbed606e],
            Enumerable.Range(0, 6).Select(_ => random.NextUInt32())
        );
    }

    [Fact]
    public void Save_InMidStream_GoesOnWithTheSameNumbers()
    {
        var random = new Pcg32(7);
        random.NextUInt32();
        var restored = new Pcg32(random.Save());

        Assert.Equal(
            Enumerable.Range(0, 20).Select(_ => random.NextInt(1000)),
            Enumerable.Range(0, 20).Select(_ => restored.NextInt(1000))
        );
    }

    [Fact]
    public void NextInt_SmallBound_ReachesEachValueAboutEqually()
    {
        var random = new Pcg32(1);
        var counts = new int[7];
        for (var i = 0; i < 70_000; i++)
        {
            counts[random.NextInt(7)]++;
        }

        Assert.All(counts, count => Assert.InRange(count, 9_600, 10_400));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    public void NextInt_BoundNotPositive_Throws(int bound) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new Pcg32(1).NextInt(bound));

    [Fact]
    public void Constructor_EvenIncrement_Throws() =>
        Assert.Throws<ArgumentException>(() => new Pcg32(new Pcg32State(1, 2)));

    [Fact]
    public void NextUInt32_OtherStream_GivesOtherNumbers() =>
        Assert.NotEqual(new Pcg32(1, 0).NextUInt32(), new Pcg32(1, 1).NextUInt32());
}
