using Dti.Engine;
using Dti.Server.Errors;
using Google.Protobuf;

namespace Dti.Server.Jobs.Storage;

/// <summary>
/// A grain's state could not be written, most likely as the disk is full, or the database of a cluster does not answer.
/// What was written before is still there.
/// </summary>
[GenerateSerializer]
[Alias("dti.state-unwritten")]
internal sealed class StateUnwrittenException : OrleansException
{
    public StateUnwrittenException(DtiException error)
        : base(error.Message) => Refusal = StatusMapper.StatusOf(error).ToByteArray();

    /// <summary>Serialized <c>google.rpc.Status</c> for a caller who asked for what cannot be written.</summary>
    [Id(0)]
    public byte[] Refusal { get; }
}
