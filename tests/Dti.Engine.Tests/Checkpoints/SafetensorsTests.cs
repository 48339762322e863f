using System.Buffers.Binary;
using System.Text;
using Dti.Engine.Checkpoints;
using Dti.Engine.Runtime.Files;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Checkpoints;

public sealed class SafetensorsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-safetensors-");

    public void Dispose() => _folder.Delete(recursive: true);

    [Theory]
    [InlineData(ScalarType.Float64)]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.Float16)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Int64)]
    [InlineData(ScalarType.Int32)]
    [InlineData(ScalarType.Int16)]
    [InlineData(ScalarType.Int8)]
    [InlineData(ScalarType.Byte)]
    [InlineData(ScalarType.Bool)]
    public void Write_EveryDtype_ReadsBackBitForBit(ScalarType dtype)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>
        {
            ["matrix"] = arange(12, ScalarType.Float32).view(3, 4).to(dtype),
            ["scalar"] = tensor(1.0).to(dtype),
            ["empty"] = zeros([0, 5], dtype),
        };
        SafetensorsWriter.Write(
            FilePath("x"),
            tensors,
            new Dictionary<string, string> { ["format"] = "pt", ["ключ"] = "\"значение\"" }
        );

        using var file = SafetensorsFile.Open(FilePath("x"));

        Assert.Equal("\"значение\"", file.Metadata["ключ"]);
        foreach (var (name, expected) in tensors)
        {
            var actual = file.Read(name);
            Assert.Equal((expected.dtype, expected.shape.Length), (actual.dtype, actual.shape.Length));
            Assert.True(expected.eq(actual).all().item<bool>());
        }
    }

    [Fact]
    public void Open_MetadataIsNull_IsNoMetadata()
    {
        var header = """{"__metadata__":null,"x":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"""u8;
        File.WriteAllBytes(FilePath("x"), [.. BitConverter.GetBytes((long)header.Length), .. header, 7]);

        using var file = SafetensorsFile.Open(FilePath("x"));

        Assert.Empty(file.Metadata);
        Assert.Equal("x", Assert.Single(file.Tensors).Key);
    }

    [Fact]
    public void Read_Float8_IsWidenedExactly()
    {
        using var scope = NewDisposeScope();
        var header =
            """{"e4m3":{"dtype":"F8_E4M3","shape":[2,4],"data_offsets":[0,8]},"e5m2":{"dtype":"F8_E5M2","shape":[4],"data_offsets":[8,12]}}"""u8;
        byte[] bytes =
        [
            .. BitConverter.GetBytes((long)header.Length),
            .. header,
            0x00,
            0x80,
            0x38,
            0xB8,
            0x01,
            0x7E,
            0xFE,
            0x7F,
            0x3C,
            0xBE,
            0x7B,
            0x01,
        ];
        File.WriteAllBytes(FilePath("x"), bytes);
        using var file = SafetensorsFile.Open(FilePath("x"));

        var wide = empty([2, 4], ScalarType.Float32);
        file.ReadInto("e4m3", wide);

        Assert.Equal([0, -0f, 1, -1, MathF.Pow(2, -9), 448, -448, float.NaN], wide.data<float>().ToArray());
        var halves = file.Read("e5m2");
        Assert.Equal(ScalarType.Float16, halves.dtype);
        Assert.Equal([1, -1.5f, 57344, MathF.Pow(2, -16)], halves.to(ScalarType.Float32).data<float>().ToArray());
    }

    [Fact]
    public void ReadInto_OtherDtype_Converts()
    {
        using var scope = NewDisposeScope();
        SafetensorsWriter.Write(
            FilePath("x"),
            new Dictionary<string, Tensor> { ["a"] = tensor(new[] { 0.5f, -2f, 3f }).to(ScalarType.Float16) }
        );
        using var file = SafetensorsFile.Open(FilePath("x"));
        var wide = empty([3], ScalarType.Float32);
        file.ReadInto("a", wide);
        Assert.Equal([0.5f, -2f, 3f], wide.data<float>().ToArray());
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""", "JSON")]
    [InlineData("""[]""", "laid out")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""",
        "twice"
    )]
    [InlineData("""{"a":{"dtype":"F33","shape":[2],"data_offsets":[0,8]}}""", "F33")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "not the 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "whole numbers")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}""", "not the 8 bytes")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", "lacks")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", "cut off")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "holds 8")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "gaps")]
    [InlineData(
        """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""",
        "overlaps"
    )]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"more":1}}""", "unknown or repeated")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}} {}""", "JSON")]
    public void Open_MalformedHeader_IsRefusedWithTheReason(string header, string reason)
    {
        WriteRaw("bad", header, data: 8);
        var error = Assert.Throws<DtiException>(() => SafetensorsFile.Open(FilePath("bad")));
        Assert.Equal(ErrorKind.FailedPrecondition, error.Kind);
        Assert.Contains(reason, error.Message, StringComparison.Ordinal);
        Assert.Contains(FilePath("bad"), error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 1, 2, 3 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, 1 })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 })]
    public void Open_NotEvenAHeader_IsRefused(byte[] content)
    {
        File.WriteAllBytes(FilePath("bad"), content);
        Assert.Throws<DtiException>(() => SafetensorsFile.Open(FilePath("bad")));
    }

    [Theory]
    [InlineData("PK\u0003\u0004 zipped pickle", "pickle")]
    [InlineData("version https://git-lfs.github.com/spec/v1", "git lfs pull")]
    public void Open_OtherKindOfFile_SaysWhatItIs(string content, string word)
    {
        File.WriteAllText(FilePath("other"), content);
        Assert.Contains(
            word,
            Assert.Throws<DtiException>(() => SafetensorsFile.Open(FilePath("other"))).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void AtomicFile_FailingMidway_KeepsTheOldFileAndLeavesNoDraft()
    {
        AtomicFile.WriteAllText(FilePath("x"), "old");
        Assert.Throws<InvalidOperationException>(() => AtomicFile.Write(FilePath("x"), stream =>
            {
                stream.Write("new"u8);
                throw new InvalidOperationException();
            }));
        Assert.Equal("old", File.ReadAllText(FilePath("x")));
        Assert.Single(_folder.GetFiles());
    }

    [Fact]
    public void AtomicFile_DiskFull_IsResourceExhausted()
    {
        var error = Assert.Throws<DtiException>(() =>
            AtomicFile.Write(FilePath("x"), _ => throw new IOException("No space left on device", 28))
        );
        Assert.Equal(ErrorKind.ResourceExhausted, error.Kind);
        Assert.Empty(_folder.GetFiles());
    }

    private string FilePath(string name) => Path.Combine(_folder.FullName, name + ".safetensors");

    private void WriteRaw(string name, string header, int data)
    {
        var json = Encoding.UTF8.GetBytes(header);
        var file = new byte[8 + json.Length + data];
        BinaryPrimitives.WriteInt64LittleEndian(file, json.Length);
        json.CopyTo(file, 8);
        File.WriteAllBytes(FilePath(name), file);
    }
}
