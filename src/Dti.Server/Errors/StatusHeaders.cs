using Google.Protobuf;
using Microsoft.AspNetCore.Http;
using RpcStatus = Google.Rpc.Status;

namespace Dti.Server.Errors;

/// <summary>A gRPC response that consists of a status alone, in its headers.</summary>
internal static class StatusHeaders
{
    /// <summary>Writes the status into a response that has not started.</summary>
    public static void Write(HttpResponse response, RpcStatus status)
    {
        response.StatusCode = StatusCodes.Status200OK;
        response.ContentType = "application/grpc";
        response.Headers["grpc-status"] = $"{status.Code}";
        response.Headers["grpc-message"] = Uri.EscapeDataString(status.Message);
        response.Headers["grpc-status-details-bin"] = Convert.ToBase64String(status.ToByteArray());
    }
}
