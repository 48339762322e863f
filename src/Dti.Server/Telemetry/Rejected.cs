using System.Text.Json;
using Google.Rpc;
using Grpc.Core;

namespace Dti.Server.Telemetry;

/// <summary>Counts refused calls.</summary>
internal static class Rejected
{
    /// <summary>Counts a refusal; a call that its caller left was not refused.</summary>
    public static void Count(RpcException refusal)
    {
        if (refusal.StatusCode is not (StatusCode.OK or StatusCode.Cancelled))
        {
            var reason = refusal.GetRpcStatus()?.GetDetail<ErrorInfo>()?.Reason
                ?? JsonNamingPolicy.SnakeCaseUpper.ConvertName($"{refusal.StatusCode}");
            DtiMetrics.Rejections.Add(
                1,
                new("rpc.grpc.status_code", (int)refusal.StatusCode),
                new("dti.reason", reason)
            );
        }
    }
}
