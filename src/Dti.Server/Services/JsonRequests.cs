using Dti.Engine;
using Dti.Server.Errors;
using Dti.Server.Telemetry;
using Google.Protobuf;
using Grpc.Core;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Http;

namespace Dti.Server.Services;

/// <summary>
/// Checks requests by JSON against the contract before they become messages, which would leave out unknown fields and
/// tell of wrong values without their place. Callers are authenticated before their bodies are read; bodies are bounded
/// by the same limit as for the messages.
/// </summary>
internal static class JsonRequests
{
    private static readonly JsonFormatter _formatter =
        new(JsonFormatter.Settings.Default.WithTypeRegistry(RpcErrors.Details));

    public static void UseJsonRequests(this WebApplication app) => app.Use(async (context, next) =>
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>() is not { } call)
        {
            await next(context);
            return;
        }

        var checks = new JsonMessageCheck(call.MethodDescriptor.InputType);
        var query = context.Request.Query.Select(pair => (pair.Key, pair.Value.ToArray()));
        checks.Query(query, [.. context.Request.RouteValues.Keys]);
        if (call.HttpRule.Body == "*" && context.Request.HasJsonContentType())
        {
            using var body = new MemoryStream((int)Math.Min(context.Request.ContentLength ?? 0, 1 << 20));
            await context.Request.Body.CopyToAsync(body, context.RequestAborted);
            checks.Body(body.GetBuffer().AsSpan(0, (int)body.Length));
            body.Position = 0;
            context.Request.Body = body;
            await AnswerAsync(context, checks.Found, next);
        }
        else
        {
            await AnswerAsync(context, checks.Found, next);
        }
    });

    private static async Task AnswerAsync(
        HttpContext context, IReadOnlyList<FieldViolation> found, RequestDelegate next)
    {
        if (found.Count == 0)
        {
            await next(context);
            return;
        }

        var status = RpcErrors.Invalid(found);
        Rejected.Count(status.ToRpcException());
        context.Response.StatusCode = StatusCodes.Status400BadRequest;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(_formatter.Format(status), context.RequestAborted);
    }
}
