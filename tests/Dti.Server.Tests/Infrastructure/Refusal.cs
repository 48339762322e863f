using Google.Protobuf;
using Google.Rpc;
using Grpc.Core;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>What a refused call says.</summary>
internal static class Refusal
{
    public static async Task<RpcException> Of(Func<Task> call, StatusCode expected)
    {
        var error = await Assert.ThrowsAsync<RpcException>(call);
        Assert.True(expected == error.StatusCode, $"{error.StatusCode} instead of {expected}: {error.Status.Detail}");
        return error;
    }

    /// <summary>The fields that INVALID_ARGUMENT names.</summary>
    public static async Task<string[]> Fields(Func<Task> call)
    {
        var error = await Of(call, StatusCode.InvalidArgument);
        var violations = Detail<BadRequest>(error).FieldViolations;
        Assert.All(violations, violation => Assert.EndsWith(".", violation.Description, StringComparison.Ordinal));
        return [.. violations.Select(violation => violation.Field)];
    }

    public static T Detail<T>(RpcException error)
        where T : class, IMessage<T>, new() =>
        error.GetRpcStatus()!.GetDetail<T>() ?? throw new InvalidOperationException("no such detail");

    public static string Reason(RpcException error) => Detail<ErrorInfo>(error).Reason;
}
