namespace Dti.Engine.Checkpoints;

/// <summary>A tensor on its way into a safetensors file: its bytes are made when it is their turn.</summary>
/// <param name="Name">Its key.</param>
/// <param name="Dtype">As the file names it: <c>F16</c>.</param>
/// <param name="Shape">Its shape; empty for a scalar.</param>
/// <param name="WriteData">Writes <see cref="Length"/> bytes.</param>
internal sealed record OutgoingTensor(string Name, string Dtype, IReadOnlyList<long> Shape, Action<Stream> WriteData)
{
    /// <summary>Bytes of an element.</summary>
    public int Width { get; } = SafetensorsHeader.WidthOf(Dtype);

    /// <summary>Bytes of all elements.</summary>
    public long Length => Shape.Aggregate((long)Width, (product, side) => product * side);
}
