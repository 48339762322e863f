using Dti.Tests;

namespace Dti.Engine.Tests.Checkpoints;

/// <summary>bench/README.md has the same over a million files.</summary>
public class SafetensorsFuzzTests
{
    private const int Files = 3_000;

    [Fact]
    public void Read_MutatedFiles_AreReadOrRefusedWithinABoundOfMemory()
    {
        using var fuzz = new SafetensorsFuzz();
        var mutator = new SafetensorsMutator(2);
        var read = 0;
        for (var i = 0; i < Files; i++)
        {
            var file = mutator.Next();

            var outcome = fuzz.Read(file);

            Assert.InRange(outcome.AllocatedBytes, 0, SafetensorsFuzz.AllocationBound(file.Length));
            read += outcome.Accepted ? 1 : 0;
        }

        Assert.InRange(read, Files / 100, Files / 2); // neither all broken nor all left alone
    }

    [Fact]
    public void Read_UnchangedSeeds_AreRead()
    {
        using var fuzz = new SafetensorsFuzz();
        Assert.All(SafetensorsMutator.Seeds, seed => Assert.True(fuzz.Read(seed).Accepted));
    }

    [Fact]
    public void Next_SameSeed_GivesTheSameFiles()
    {
        var (one, other) = (new SafetensorsMutator(7), new SafetensorsMutator(7));
        Assert.All(Enumerable.Range(0, 100), _ => Assert.Equal(one.Next(), other.Next()));
    }
}
