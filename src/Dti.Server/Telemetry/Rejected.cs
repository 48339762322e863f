using System.Text.Json;
using Google.Rpc;
using RpcStatus = Google.Rpc.Status;

namespace Dti.Server.Telemetry;

/// <summary>Counts refused calls.</summary>
internal static class Rejected
{
    /// <summary>Counts a refusal; a call that its caller left was not refused.</summary>
    public static void Count(RpcStatus refusal)
    {
        if ((Code)refusal.Code is var code and not (Code.Ok or Code.Cancelled))
        {
            var reason = refusal.GetDetail<ErrorInfo>()?.Reason
                ?? JsonNamingPolicy.SnakeCaseUpper.ConvertName($"{code}");
            DtiMetrics.Rejections.Add(1, new("rpc.grpc.status_code", refusal.Code), new("dti.reason", reason));
        }
    }
}
