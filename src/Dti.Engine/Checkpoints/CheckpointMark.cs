using System.Runtime.InteropServices;

namespace Dti.Engine.Checkpoints;

/// <summary>A small tensor by which a single file says what its model was trained for.</summary>
/// <param name="Name">Its name at the root of the file: <c>v_pred</c>.</param>
/// <param name="Shape">Its shape; <c>[0]</c> for a mark that only has to be there.</param>
/// <param name="Values">Its values.</param>
public sealed record CheckpointMark(string Name, IReadOnlyList<long> Shape, params float[] Values)
{
    /// <summary>A mark that only has to be there.</summary>
    public static CheckpointMark Flag(string name) => new(name, [0]);

    internal OutgoingTensor Outgoing() =>
        new(Name, "F32", Shape, stream => stream.Write(MemoryMarshal.AsBytes<float>(Values)));
}
