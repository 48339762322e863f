using System.Text;
using Dti.Cli.Files;
using Dti.Cli.Output;
using Dti.Tests;

namespace Dti.Cli.Tests;

public sealed class PhotoFilesTests : IDisposable
{
    private static readonly byte[] _jpeg = [0xFF, 0xD8, 0xFF, 0xE0, .. new byte[40]];
    private static readonly byte[] _png = [0x89, (byte)'P', (byte)'N', (byte)'G', .. new byte[40]];
    private static readonly byte[] _heic =
    [
        0,
        0,
        0,
        0x18,
        .. "ftypheic"u8,
        0,
        0,
        0,
        0,
        .. "mif1heic"u8,
        .. new byte[40],
    ];
    private readonly string _folder = Directory.CreateTempSubdirectory("dti-photos-").FullName;

    [Fact]
    public void Find_Folder_GoesByContentAndNamesWhatIsLeftOut()
    {
        Write("1.png", _png);
        Write("download.jfif", _jpeg);
        Write("DSC00001", _jpeg);
        Write("wrong.txt.png", "no image"u8.ToArray());
        Write("IMG_0007.HEIC", _heic);
        Write("._1.png", _png);
        Write("1.txt", "a cat"u8.ToArray());
        Write("1-mask.png", _png);
        Write("Thumbs.db", "db"u8.ToArray());
        var leftOut = new List<string>();

        var files = PhotoFiles.Find([_folder], leftOut.Add);

        Assert.Equal(["1.png", "DSC00001", "download.jfif"], files.Select(Path.GetFileName));
        Assert.Equal(3, leftOut.Count);
        Assert.Contains(leftOut, line =>
            line.Contains("IMG_0007.HEIC", StringComparison.Ordinal)
            && line.Contains("save it as JPEG", StringComparison.Ordinal)
        );
        Assert.Contains(leftOut, line => line.Contains("Thumbs.db", StringComparison.Ordinal));
    }

    /// <summary>
    /// Cameras append films and previews of their own to a photo: 50 files of 64 MiB, 3.1 GiB together.
    /// </summary>
    [Fact]
    public async Task Read_FiftyPhotosOf64MiBEach_FitIntoOneRequest()
    {
        var photo = File.ReadAllBytes(Path.Combine(Fixtures.Repository, "samples", "melon-bird", "1.jpg"));
        Write("0.jpg", photo);
        using (var file = File.OpenWrite(Path.Combine(_folder, "0.jpg")))
            file.SetLength(64 << 20);
        for (var i = 1; i < 50; i++)
            File.CreateSymbolicLink(Path.Combine(_folder, $"{i}.jpg"), Path.Combine(_folder, "0.jpg"));
        var output = new StringWriter();

        var photos = await PhotoFiles.ReadAsync(
            [_folder],
            CaptionFiles.Use,
            64,
            new JsonOutput(output),
            TestContext.Current.CancellationToken
        );

        Assert.Equal(50, photos.Count);
        Assert.True(photos.Sum(read => read.Data.Length) < 63 << 20);
        Assert.Contains("50 photo(s) were reduced before sending", output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Find_OnlyFoldersBelowHoldPhotos_SaysWhich()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "10_sks cat"));
        Write("10_sks cat/1.png", _png);

        var error = Assert.Throws<CliException>(() => PhotoFiles.Find([_folder]));

        Assert.Contains("10_sks cat", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Find_FileThatIsNoPhoto_SaysWhatItIs()
    {
        var error = Assert.Throws<CliException>(() => PhotoFiles.Find([Write("IMG_1.jpg", _heic)]));
        Assert.Contains("HEIC", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("txt", "utf-8", "a cat in a café")]
    [InlineData("txt", "utf-16", "a cat in a café")]
    [InlineData("caption", "utf-8", "a cat in the garden")]
    public async Task Read_Caption_OfEitherEndingAndEncoding(string ending, string encoding, string caption)
    {
        var photo = Write("1.png", _png);
        File.WriteAllText(Path.ChangeExtension(photo, ending), caption, Encoding.GetEncoding(encoding));

        Assert.Equal(caption, (await ReadAsync(photo, CaptionFiles.Use)).Caption);
        Assert.Empty((await ReadAsync(photo, CaptionFiles.Ignore)).Caption);
        Assert.Equal("{concept}, " + caption, (await ReadAsync(photo, CaptionFiles.Prefix)).Caption);
    }

    [Fact]
    public async Task Read_CaptionThatSaysWhereTheConceptGoes_GetsNoPrefix()
    {
        var photo = Write("1.png", _png);
        Write("1.txt", "a painting of {concept}"u8.ToArray());

        Assert.Equal("a painting of {concept}", (await ReadAsync(photo, CaptionFiles.Prefix)).Caption);
    }

    [Fact]
    public async Task Read_CaptionOfAWindowsCodePage_IsRefusedByItsFile()
    {
        var photo = Write("1.png", _png);
        var caption = Write("1.txt", [.. "a cat in a caf"u8, 0xE9]);

        var error = await Assert.ThrowsAsync<CliException>(() => ReadAsync(photo, CaptionFiles.Use));

        Assert.Contains(caption, error.Message, StringComparison.Ordinal);
        Assert.Contains("UTF-8", error.Message, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static async Task<ClientSdk.Photo> ReadAsync(string photo, CaptionFiles captions) =>
        Assert.Single(
            await PhotoFiles.ReadAsync(
                [photo],
                captions,
                null,
                new JsonOutput(TextWriter.Null),
                TestContext.Current.CancellationToken
            )
        );

    private string Write(string name, byte[] content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
