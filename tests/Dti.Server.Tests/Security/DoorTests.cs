using Dti.Server.Security;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using GrpcStatus = Grpc.Core.StatusCode;

namespace Dti.Server.Tests.Security;

/// <summary>Every call with every kind of token, over the wire; calls come from the contract, so that a new one is tried too.</summary>
public class DoorTests
{
    private static readonly Marshaller<byte[]> _bytes = Marshallers.Create(bytes => bytes, bytes => bytes);

    private static IEnumerable<MethodDescriptor> Contract =>
        new[]
        {
            DtiServiceReflection.Descriptor, JobServiceReflection.Descriptor, ConceptServiceReflection.Descriptor, ModelServiceReflection.Descriptor,
            ServerServiceReflection.Descriptor, HealthReflection.Descriptor, Grpc.Reflection.V1Alpha.ReflectionReflection.Descriptor,
        }.SelectMany(file => file.Services).SelectMany(service => service.Methods);

    /// <summary>Every call, as <c>package.Service/Method</c>.</summary>
    public static TheoryData<string> Methods => [.. Contract.Select(Name), "grpc.reflection.v1.ServerReflection/ServerReflectionInfo"];

    [Fact]
    public void Table_HasEachCallOfTheContract_AndNoOther() =>
        Assert.Equal(Methods.Select(row => row.Data).Order(StringComparer.Ordinal), RpcScopes.Methods.Order(StringComparer.Ordinal));

    [Fact]
    public void Contract_HasEachServiceOfTheAssembly()
    {
        var services = typeof(DtiServerOptions).Assembly.GetTypes()
            .Where(type => type.Namespace == "Dti.V1" && type.GetProperty("Descriptor")?.GetValue(null) is FileDescriptor)
            .SelectMany(type => ((FileDescriptor)type.GetProperty("Descriptor")!.GetValue(null)!).Services);
        Assert.Subset(Contract.Select(method => method.Service.FullName).ToHashSet(), services.Select(service => service.FullName).ToHashSet());
    }

    [Fact]
    public async Task EveryCall_WithEachKindOfToken_IsLetInOrRefusedAsTheTableSays()
    {
        await using var server = GuardedServer.Start();
        var wrong = AccessTokens.Prefix + new string('x', 43);
        var expired = server.Tokens.Create("expired", ["admin"], TimeSpan.FromTicks(1)).Secret;
        var revoked = server.Tokens.Create("revoked", ["admin"]).Secret;
        server.Tokens.Revoke("revoked");
        using var channel = server.Channel();
        var refusals = new HashSet<string>();

        foreach (var method in Methods.Select(row => row.Data))
        {
            var needed = RpcScopes.Of(method);
            foreach (var secret in new[] { null, "", wrong, expired, revoked })
            {
                var error = await CallAsync(channel, method, secret is null ? null : "Bearer " + secret);
                if (needed == Scopes.None)
                {
                    Assert.True(error?.StatusCode is not (GrpcStatus.Unauthenticated or GrpcStatus.PermissionDenied), $"{method}: {error}");
                    continue;
                }

                Assert.True(error?.StatusCode == GrpcStatus.Unauthenticated, $"{method} with {secret ?? "no token"}: {error}");
                Assert.Equal("TOKEN_REFUSED", Refusal.Reason(error));
                refusals.Add(error.Status.Detail);
            }

            foreach (var scope in new[] { Scopes.Read, Scopes.Generate, Scopes.Train, Scopes.Admin })
            {
                var error = await CallAsync(channel, method, "Bearer " + server.Secrets[scope]);
                if (needed == Scopes.None || scope == Scopes.Admin || (needed & scope) != 0)
                {
                    Assert.True(error?.StatusCode is not (GrpcStatus.Unauthenticated or GrpcStatus.PermissionDenied or GrpcStatus.Internal or GrpcStatus.Unknown), $"{method} with {scope}: {error}");
                }
                else
                {
                    Assert.True(error?.StatusCode == GrpcStatus.PermissionDenied, $"{method} with {scope}: {error}");
                    Assert.Equal(string.Join(',', ScopeNames.Of(needed)), Refusal.Detail<ErrorInfo>(error).Metadata["scopes"]);
                }
            }
        }

        Assert.Single(refusals); // none says what is wrong with the token
    }

    private static string Name(MethodDescriptor method) => $"{method.Service.FullName}/{method.Name}";

    /// <summary>Makes a call with an empty request; null: it answered, or was still going on after a moment.</summary>
    private static async Task<RpcException?> CallAsync(GrpcChannel channel, string method, string? authorization)
    {
        var names = method.Split('/');
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        var headers = new Metadata();
        if (authorization is not null)
        {
            headers.Add("authorization", authorization);
        }

        using var call = channel.CreateCallInvoker().AsyncServerStreamingCall(
            new Method<byte[], byte[]>(MethodType.ServerStreaming, names[0], names[1], _bytes, _bytes), null, new CallOptions(headers, cancellationToken: patience.Token), []);
        try
        {
            await call.ResponseStream.MoveNext(patience.Token); // one answer is enough to know that it was let in
            return null;
        }
        catch (RpcException error) when (patience.IsCancellationRequested)
        {
            return error.StatusCode == GrpcStatus.Cancelled ? null : error;
        }
        catch (RpcException error)
        {
            return error;
        }
    }
}
