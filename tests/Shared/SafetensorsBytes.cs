using Google.Protobuf;

namespace Dti.Tests;

/// <summary>The bytes of a safetensors file.</summary>
internal static class SafetensorsBytes
{
    /// <summary>Those of its tensors: after the header's length, 8 bytes, and the header.</summary>
    public static byte[] OfTensors(ByteString file) =>
        file.ToByteArray()[(sizeof(long) + BitConverter.ToInt32(file.Span))..];
}
