using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Dti.Tests;

namespace Dti.Engine.Tests.Imaging;

/// <summary>The recorded dataset preprocessing of the reference (<c>common/preprocess.*</c>).</summary>
internal static class PreprocessFixture
{
    public static JsonElement Facts { get; } =
        JsonDocument.Parse(File.ReadAllBytes(Fixtures.Common("preprocess.json"))).RootElement;

    public static IEnumerable<string> Cases() => Facts.EnumerateObject().Select(property => property.Name);

    public static byte[] Photo(string name) =>
        File.ReadAllBytes(Fixtures.Common(Facts.GetProperty(name).GetProperty("png").GetString()!));

    public static int Size(string name) => Facts.GetProperty(name).GetProperty("size").GetInt32();

    public static bool CenterCrop(string name) => Facts.GetProperty(name).GetProperty("center_crop").GetBoolean();

    public static (int, int) Pair(string name, string fact)
    {
        var pair = Facts.GetProperty(name).GetProperty(fact);
        return (pair[0].GetInt32(), pair[1].GetInt32());
    }

    public static float[] PixelValues(string name) =>
        MemoryMarshal
            .Cast<byte, float>(Read(Fixtures.Common("preprocess.safetensors"), $"{name}/pixel_values"))
            .ToArray();

    public static byte[] Resized(string name) => Read(Fixtures.Common("preprocess.safetensors"), $"{name}/resized_u8");

    /// <summary>
    /// The bytes of one tensor; read by hand, so that these tests stand without the checkpoint reader.
    /// </summary>
    public static byte[] Read(string path, string tensor)
    {
        var file = File.ReadAllBytes(FixtureUse.Note(path, tensor));
        var headerLength = (int)BinaryPrimitives.ReadInt64LittleEndian(file);
        using var header = JsonDocument.Parse(file.AsMemory(8, headerLength));
        var offsets = header.RootElement.GetProperty(tensor).GetProperty("data_offsets");
        return file[(8 + headerLength + offsets[0].GetInt32())..(8 + headerLength + offsets[1].GetInt32())];
    }
}
