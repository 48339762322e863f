using RpcStatus = Google.Rpc.Status;

namespace Dti.Server.Errors;

/// <summary>
/// An error that was mapped to a status before: one that a grain returned, or one that a job's record holds.
/// </summary>
/// <param name="status">The status.</param>
internal sealed class StatusException(RpcStatus status) : Exception(status.Message)
{
    /// <summary>Creates the error from a serialized status.</summary>
    public static StatusException Parse(byte[] status) => new(RpcStatus.Parser.ParseFrom(status));

    /// <summary>The status, which callers get as it is.</summary>
    public RpcStatus Status => status;
}
