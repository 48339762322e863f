using System.Text;
using Dti.Cli.Files;

namespace Dti.Cli.Tests;

public sealed class PhotoFilesTests : IDisposable
{
    private static readonly byte[] _jpeg = [0xFF, 0xD8, 0xFF, 0xE0, .. new byte[40]];
    private static readonly byte[] _png = [0x89, (byte)'P', (byte)'N', (byte)'G', .. new byte[40]];
    private static readonly byte[] _heic = [0, 0, 0, 0x18, .. "ftypheic"u8, 0, 0, 0, 0, .. "mif1heic"u8, .. new byte[40]];
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
        Assert.Contains(leftOut, line => line.Contains("IMG_0007.HEIC", StringComparison.Ordinal) && line.Contains("save it as JPEG", StringComparison.Ordinal));
        Assert.Contains(leftOut, line => line.Contains("Thumbs.db", StringComparison.Ordinal));
    }

    /// <summary>Noise, which packs badly, as the photos of a camera at its finest setting.</summary>
    [Fact]
    public void Fit_PhotosThatDoNotFitTogether_AreReducedUntilTheyDo()
    {
        var pixels = new byte[3 * 640 * 480];
        new Random(1).NextBytes(pixels);
        var data = Engine.Imaging.ImageCodec.Encode(new Engine.Imaging.RgbImage(640, 480, pixels), Engine.Imaging.ImageFormat.Png);
        ClientSdk.Photo[] photos = [.. Enumerable.Range(0, 4).Select(i => new ClientSdk.Photo($"{i}.png", data))];
        var warnings = new List<string>();

        Assert.Equal(photos, PhotoSizes.Fit(photos, 256, warnings.Add, 4 * data.Length));
        Assert.Empty(warnings);

        var fitting = PhotoSizes.Fit(photos, 256, warnings.Add, data.Length);
        Assert.True(fitting.Sum(photo => photo.Data.Length) <= data.Length);
        Assert.Contains("4 photo(s) are sent as JPEG", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.All(fitting, photo => Assert.True(Engine.Imaging.ImageCodec.Decode(photo.Data.Span, photo.FileName) is { Height: >= 256, Width: >= 341 }));

        var error = Assert.Throws<CliException>(() => PhotoSizes.Fit(photos, 256, warnings.Add, 1000));
        Assert.Contains("The largest is '0.png'", error.Message, StringComparison.Ordinal);
        Assert.Contains("JPEG of 256 pixels on the shorter side is enough", error.Message, StringComparison.Ordinal);
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
        Assert.Single(await PhotoFiles.ReadAsync([photo], captions, null, TestContext.Current.CancellationToken));

    private string Write(string name, byte[] content)
    {
        var path = Path.Combine(_folder, name);
        File.WriteAllBytes(path, content);
        return path;
    }
}
