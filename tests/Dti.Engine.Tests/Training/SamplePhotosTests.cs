using System.Runtime.CompilerServices;
using Dti.Engine.Imaging;
using Dti.Engine.Training;

namespace Dti.Engine.Tests.Training;

/// <summary>The photos that ship in <c>samples/</c>.</summary>
public class SamplePhotosTests
{
    [Theory]
    [InlineData("clay-cat")]
    [InlineData("star-teapot")]
    public void Load_SamplePhotos_MakesATrainingSet(string concept)
    {
        var files = Directory.GetFiles(Path.Combine(SamplesFolder(), concept)).Order(StringComparer.Ordinal).ToArray();
        var set = TrainingSet.Load(
            [.. files.Select(file => new Photo(Path.GetFileName(file), File.ReadAllBytes(file)))],
            512,
            ImageLimits.Default
        );

        Assert.Equal(5, set.Count);
        Assert.Contains(files, file => file.EndsWith(".png", StringComparison.Ordinal));
        Assert.Contains(files, file => file.EndsWith(".jpg", StringComparison.Ordinal));
        Assert.True(Enumerable.Range(0, set.Count).Select(set.OriginalSize).Distinct().Count() > 2);
    }

    [Fact]
    public void Samples_Together_StaySmallEnoughToCloneQuickly() =>
        Assert.InRange(
            new DirectoryInfo(SamplesFolder())
                .EnumerateFiles("*", SearchOption.AllDirectories)
                .Sum(file => file.Length),
            1,
            1_500_000
        );

    private static string SamplesFolder([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", "..", "samples"));
}
