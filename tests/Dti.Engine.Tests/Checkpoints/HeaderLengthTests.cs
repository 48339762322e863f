using System.Buffers.Binary;
using System.Text;
using Dti.Engine.Checkpoints;

namespace Dti.Engine.Tests.Checkpoints;

public class HeaderLengthTests
{
    /// <summary>
    /// A concept whose header happened to be 0x0580 bytes long was refused as a pickle, which starts with 80 05.
    /// </summary>
    [Theory]
    [InlineData(0x0280)]
    [InlineData(0x0580)]
    [InlineData(0x4B50)]
    public void Read_HeaderLengthThatLooksLikeAnotherFormat_IsRead(int length)
    {
        using var file = File("{\"__metadata__\":{\"a\":\"b\"}}", length);

        var (metadata, tensors, dataStart) = SafetensorsHeader.Read(file, file.Length, "x.safetensors");

        Assert.Equal("b", metadata["a"]);
        Assert.Empty(tensors);
        Assert.Equal(8 + length, dataStart);
    }

    [Theory]
    [InlineData(new byte[] { 0x80, 0x02, 0x8A, 0x0A, 0x6C, 0xFC, 0x9C, 0x46, 0xF9 })]
    [InlineData(new byte[] { 0x80, 0x04, 0x95, 0x04, 0, 0, 0, 0, 0, 0, 0, 0x8C, 1 })]
    [InlineData(new byte[] { 0x50, 0x4B, 0x03, 0x04, 0, 0, 0, 0, 0 })]
    public void Read_Pickle_IsRefusedWithTheReason(byte[] bytes)
    {
        using var file = new MemoryStream(bytes);

        var error = Assert.Throws<DtiException>(() => SafetensorsHeader.Read(file, file.Length, "x.pt"));

        Assert.Contains("pickle", error.Message, StringComparison.Ordinal);
    }

    private static MemoryStream File(string json, int length)
    {
        var bytes = new byte[8 + length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, length);
        Encoding.UTF8.GetBytes(json.PadRight(length)).CopyTo(bytes, 8);
        return new MemoryStream(bytes);
    }
}
