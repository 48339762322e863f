using System.Buffers;
using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Errors;
using Dti.Server.Security;
using Dti.Server.Telemetry;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Grpc.JsonTranscoding;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Server.Services;

/// <summary>
/// Checks requests by JSON against the contract before they become messages, which would leave out unknown fields and
/// tell of wrong values without their place. Callers are authenticated before their bodies are read; bodies are bounded
/// by the same limit as for the messages.
/// </summary>
internal static class JsonRequests
{
    private static readonly JsonFormatter _formatter = new(
        JsonFormatter.Settings.Default.WithTypeRegistry(StatusMapper.DetailTypes)
    );

    public static void UseJsonRequests(this WebApplication app)
    {
        var limit = app.Services.GetRequiredService<DtiServerOptions>().MaxMessageBytes;
        var bytes = app.Services.GetRequiredService<BytesInFlight>();
        app.Use((context, next) => CheckAsync(context, next, limit, bytes));
    }

    private static async Task CheckAsync(HttpContext context, RequestDelegate next, int limit, BytesInFlight bytes)
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<GrpcJsonTranscodingMetadata>() is not { } call)
        {
            await next(context);
            return;
        }

        var checks = new JsonMessageCheck(call.MethodDescriptor.InputType);
        checks.Query(
            context.Request.Query.Select(pair => (pair.Key, pair.Value.ToArray())),
            [.. context.Request.RouteValues.Keys]
        );
        using var account = bytes.Open(
            context.User.Identity?.IsAuthenticated == true ? Caller.Of(context.User).Id : ""
        );
        context.Features.Set(account);
        if (call.HttpRule.Body == "*" && context.Request.HasJsonContentType())
        {
            var received = new RequestBody();
            BodyProblem problem;
            try
            {
                problem = await received.ReceiveAsync(
                    context.Request.BodyReader,
                    long.MaxValue,
                    account,
                    context.RequestAborted
                );
                problem =
                    // for the copy below
                    problem == BodyProblem.None
                    && !account.TryTake(received.Length)
                        ? BodyProblem.NoRoom
                        : problem;
            }
            catch (BadHttpRequestException error) when (error.StatusCode == StatusCodes.Status413PayloadTooLarge)
            {
                problem = BodyProblem.TooLarge;
            }

            if (problem != BodyProblem.None)
            {
                await RefuseAsync(
                    context,
                    GrpcMessages.RefusalOf(problem, limit),
                    problem == BodyProblem.TooLarge
                        ? StatusCodes.Status413PayloadTooLarge
                        : StatusCodes.Status429TooManyRequests
                );
                return;
            }

            var body = received.Bytes.ToArray();
            checks.Body(body);
            context.Request.Body = new MemoryStream(body);
        }

        if (checks.Found.Count > 0)
        {
            await RefuseAsync(context, new ValidationException(checks.Found), StatusCodes.Status400BadRequest);
            return;
        }

        await next(context);
    }

    private static async Task RefuseAsync(HttpContext context, DtiException refusal, int statusCode)
    {
        var status = StatusMapper.StatusOf(refusal);
        Rejected.Count(status);
        context.Response.StatusCode = statusCode;
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(_formatter.Format(status), context.RequestAborted);
    }
}
