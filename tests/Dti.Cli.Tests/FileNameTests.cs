using Dti.Cli.Demo;
using Dti.Cli.Files;
using Dti.ClientSdk;

namespace Dti.Cli.Tests;

public sealed class FileNameTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-names-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Theory]
    [InlineData("a photo of <my-cat>, at night!", "a-photo-of-my-cat-at-night")]
    [InlineData("../../etc/passwd", "etc-passwd")]
    [InlineData("写真", "picture")]
    public void Slug_Prompt_IsAPlainName(string prompt, string name) => Assert.Equal(name, PictureFiles.Slug(prompt));

    [Theory]
    [InlineData(1, "x.png x-2.png x-3.png")]
    [InlineData(3, "x-1.png x-2.png x-3.png")]
    public async Task WriteAsync_ThreePictures_AreNumbered(int count, string names)
    {
        var files = new PictureFiles(Path.Combine(_folder, "x.png"), "prompt", count, overwrite: false);

        var written = new List<string>();
        for (var i = 0; i < 3; i++)
            written.Add(Path.GetFileName(await files.WriteAsync(Picture(i), TestContext.Current.CancellationToken)));

        Assert.Equal(names, string.Join(" ", written));
        Assert.Equal(
            written.Order(StringComparer.Ordinal),
            Directory.EnumerateFiles(_folder).Select(Path.GetFileName).Order(StringComparer.Ordinal)
        );
    }

    [Fact]
    public async Task WriteAsync_NameTaken_KeepsTheOtherFile()
    {
        var other = Path.Combine(_folder, "x.png");
        await File.WriteAllTextAsync(other, "mine", TestContext.Current.CancellationToken);

        var path = await new PictureFiles(other, "", 1, overwrite: false).WriteAsync(
            Picture(0),
            TestContext.Current.CancellationToken
        );

        Assert.Equal("x-2.png", Path.GetFileName(path));
        Assert.Equal("mine", await File.ReadAllTextAsync(other, TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("plain-word.png", "plain-word.png")]
    [InlineData("a photo of <x>", "\"a photo of <x>\"")]
    [InlineData("", "\"\"")]
    public void Quote_Word_IsWhatAShellTakes(string word, string quoted) =>
        Assert.Equal(quoted, CommandText.Quote(word));

    private static Picture Picture(int index) => new(new byte[] { 1, 2, 3 }, "image/png", 1, 1, index, "", 0, null);
}
