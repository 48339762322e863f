using Dti.Server.Configuration;
using Dti.Server.Errors;
using Dti.Server.Telemetry;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using RpcStatus = Google.Rpc.Status;

namespace Dti.Server.Services;

/// <summary>
/// Bytes that are no message, and a request that breaks off, fail before any interceptor hears of the call, and gRPC
/// answers UNKNOWN. They are the caller's mistake, and are reported as such. Needs gRPC's detailed errors, which nobody
/// else sees.
/// </summary>
internal static class MalformedMessages
{
    /// <summary>What logs the same as an error of the server's.</summary>
    public const string FrameworkLog = "Grpc.AspNetCore.Server.ServerCallHandler";

    private const string Framework = "Exception was thrown by handler.";
    private const string TooLarge = "Received message exceeds the maximum configured message size.";

    public static void UseMalformedMessages(this WebApplication app)
    {
        var limit = app.Services.GetRequiredService<DtiServerOptions>().MaxMessageBytes;
        var logger = app.Services.GetRequiredService<ILogger<ErrorInterceptor>>();
        app.Use(
            async (context, next) =>
            {
                await next(context);
                var headers = context.Response.Headers;
                if (
                    !context.Response.HasStarted
                    && headers["grpc-status"] == "13"
                    && !headers.ContainsKey("grpc-status-details-bin")
                )
                {
                    SetStatus(headers, StatusMapper.StatusOf(Refusals.MalformedMessage())); // reflection's frames, which gRPC reads itself
                    return;
                }

                if (
                    !context.Response.HasStarted
                    && headers["grpc-status"] == "8"
                    && Uri.UnescapeDataString($"{headers["grpc-message"]}") == TooLarge
                )
                {
                    SetStatus(headers, StatusMapper.StatusOf(Refusals.MessageTooLarge(limit)));
                    return;
                }

                if (
                    !context.Response.HasStarted
                    && headers["grpc-status"] == "2"
                    && Uri.UnescapeDataString($"{headers["grpc-message"]}") is var cause
                    && cause.StartsWith(Framework, StringComparison.Ordinal)
                )
                {
                    var malformed =
                        cause.Contains(nameof(InvalidProtocolBufferException), StringComparison.Ordinal)
                        || cause.Contains(nameof(InvalidDataException), StringComparison.Ordinal);
                    var gone =
                        context.RequestAborted.IsCancellationRequested
                        // while the request was still on its way
                        || cause.Contains(nameof(IOException), StringComparison.Ordinal);
                    if (!malformed && !gone)
                    {
                        logger.UnexpectedFailureOutsideService(context.Request.Path, cause);
                    }

                    var status =
                        malformed ? StatusMapper.StatusOf(Refusals.MalformedMessage())
                        : gone ? StatusMapper.StatusOf(Refusals.CallerDisconnected())
                        : StatusMapper.Internal;
                    SetStatus(headers, status);
                }
            }
        );
    }

    private static void SetStatus(IHeaderDictionary headers, RpcStatus status)
    {
        Rejected.Count(status);
        headers["grpc-status"] = $"{status.Code}";
        headers["grpc-message"] = status.Message;
        headers["grpc-status-details-bin"] = Convert.ToBase64String(status.ToByteArray());
    }
}
