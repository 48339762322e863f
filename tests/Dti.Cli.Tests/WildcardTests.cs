using Dti.Cli.Files;

namespace Dti.Cli.Tests;

public sealed class WildcardTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-wildcards-").FullName;

    public WildcardTests()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "cat-1"));
        Directory.CreateDirectory(Path.Combine(_folder, "cat-2"));
        foreach (var file in (string[])["a.jpg", "b.jpg", "c.png", "cat-1/d.jpg", "cat-2/e.jpg"])
            File.WriteAllText(Path.Combine(_folder, file), "");
    }

    [Theory]
    [InlineData("*.jpg", "a.jpg b.jpg")]
    [InlineData("?.png", "c.png")]
    [InlineData("cat-*/*.jpg", "cat-1/d.jpg cat-2/e.jpg")]
    [InlineData("cat-?/e.jpg", "cat-2/e.jpg")]
    [InlineData("missing.jpg", "missing.jpg")]
    public void Expand_Pattern_IsTheMatchingFilesByName(string pattern, string expected) =>
        Assert.Equal(expected.Split(' ').Select(Full), Wildcards.Expand(Full(pattern)));

    [Fact]
    public void Expand_FileWhoseNameHasAStar_IsThatFile()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows allows no * in file names.");
        File.WriteAllText(Full("x*.jpg"), "");
        File.WriteAllText(Full("xy.jpg"), "");

        Assert.Equal([Full("x*.jpg")], Wildcards.Expand(Full("x*.jpg")));
    }

    [Fact]
    public void Expand_NothingMatches_IsNotFoundWithThePattern()
    {
        var error = Assert.Throws<CliException>(() => Wildcards.Expand(Full("*.gif")));
        Assert.Equal(ExitCode.NotFound, error.ExitCode);
        Assert.Contains("*.gif", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string Full(string name) => Path.Combine(_folder, name);
}
