using System.Net;
using System.Text.Json.Nodes;
using Dti.Server.Configuration;
using Dti.Server.Security;
using Dti.Server.Tests.Infrastructure;
using Dti.V1;
using Google.Api;
using Google.Protobuf.Reflection;
using Google.Rpc;
using Grpc.Core;
using Grpc.Health.V1;
using Grpc.Net.Client;
using Grpc.Net.Client.Web;
using GrpcStatus = Grpc.Core.StatusCode;

namespace Dti.Server.Tests.Security;

/// <summary>
/// Every call with every kind of token, over the wire; calls come from the contract, so that a new one is tried too.
/// </summary>
public class AccessControlTests
{
    private static readonly Marshaller<byte[]> _bytes = Marshallers.Create(bytes => bytes, bytes => bytes);

    private static IEnumerable<MethodDescriptor> Contract =>
        new[]
        {
            DtiServiceReflection.Descriptor,
            JobServiceReflection.Descriptor,
            ConceptServiceReflection.Descriptor,
            ModelServiceReflection.Descriptor,
            ServerServiceReflection.Descriptor,
            ClusterServiceReflection.Descriptor,
            HealthReflection.Descriptor,
            Grpc.Reflection.V1Alpha.ReflectionReflection.Descriptor,
        }
            .SelectMany(file => file.Services)
            .SelectMany(service => service.Methods);

    /// <summary>Every call, as <c>package.Service/Method</c>.</summary>
    public static TheoryData<string> Methods =>
        [.. Contract.Select(Name), "grpc.reflection.v1.ServerReflection/ServerReflectionInfo"];

    [Fact]
    public void Table_HasEachCallOfTheContract_AndNoOther() =>
        Assert.Equal(
            Methods.Select(row => row.Data).Order(StringComparer.Ordinal),
            RpcScopes.Methods.Order(StringComparer.Ordinal)
        );

    [Fact]
    public void Contract_HasEachServiceOfTheAssembly()
    {
        var services = typeof(DtiServerOptions)
            .Assembly.GetTypes()
            .Where(type =>
                type.Namespace == "Dti.V1" && type.GetProperty("Descriptor")?.GetValue(null) is FileDescriptor
            )
            .SelectMany(type => ((FileDescriptor)type.GetProperty("Descriptor")!.GetValue(null)!).Services);
        Assert.Subset(
            Contract.Select(method => method.Service.FullName).ToHashSet(),
            services.Select(service => service.FullName).ToHashSet()
        );
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
                    Assert.True(
                        error?.StatusCode is not (GrpcStatus.Unauthenticated or GrpcStatus.PermissionDenied),
                        $"{method}: {error}"
                    );
                    continue;
                }

                Assert.True(
                    error?.StatusCode == GrpcStatus.Unauthenticated,
                    $"{method} with {secret ?? "no token"}: {error}"
                );
                Assert.Equal("TOKEN_REFUSED", Refusal.Reason(error));
                refusals.Add(error.Status.Detail);
            }

            foreach (var scope in new[] { Scopes.Read, Scopes.Generate, Scopes.Train, Scopes.Admin })
            {
                var error = await CallAsync(channel, method, "Bearer " + server.Secrets[scope]);
                if (needed == Scopes.None || scope == Scopes.Admin || (needed & scope) != 0)
                {
                    Assert.True(
                        error?.StatusCode
                            is not (
                                GrpcStatus.Unauthenticated
                                or GrpcStatus.PermissionDenied
                                or GrpcStatus.Internal
                                or GrpcStatus.Unknown
                            ),
                        $"{method} with {scope}: {error}"
                    );
                }
                else
                {
                    Assert.True(error?.StatusCode == GrpcStatus.PermissionDenied, $"{method} with {scope}: {error}");
                    Assert.Equal(
                        string.Join(',', ScopeNames.Of(needed)),
                        Refusal.Detail<ErrorInfo>(error).Metadata["scopes"]
                    );
                }
            }
        }

        Assert.Single(refusals); // none says what is wrong with the token
    }

    [Theory]
    [InlineData(GrpcWebMode.GrpcWeb)]
    [InlineData(GrpcWebMode.GrpcWebText)]
    public async Task EveryCall_ByGrpcWeb_IsRefusedAsByGrpc(GrpcWebMode mode)
    {
        await using var server = GuardedServer.Start(options => options with { WebPort = 0 });
        using var channel = GrpcChannel.ForAddress(
            server.Server.WebAddress!,
            new GrpcChannelOptions
            {
                HttpHandler = new GrpcWebHandler(mode, new HttpClientHandler()),
                HttpVersion = HttpVersion.Version11,
            }
        );
        foreach (
            var method in Methods
                .Select(row => row.Data)
                .Where(method =>
                    RpcScopes.Of(method) != Scopes.None && !method.Contains("Reflection", StringComparison.Ordinal)
                )
        )
        {
            var refused = await CallAsync(channel, method, null);
            Assert.True(refused?.StatusCode == GrpcStatus.Unauthenticated, $"{method}: {refused}");
            Assert.Equal("TOKEN_REFUSED", Refusal.Reason(refused));
            if (RpcScopes.Of(method) is not Scopes.Read and var needed && !needed.HasFlag(Scopes.Read))
            {
                var denied = await CallAsync(channel, method, "Bearer " + server.Secrets[Scopes.Read]);
                Assert.True(denied?.StatusCode == GrpcStatus.PermissionDenied, $"{method}: {denied}");
                Assert.Equal("SCOPE_MISSING", Refusal.Reason(denied));
            }
        }
    }

    [Fact]
    public async Task EveryRoute_ByJson_IsRefusedWithTheDetailsOfGrpc()
    {
        await using var server = GuardedServer.Start(options => options with { WebPort = 0 });
        using var http = new HttpClient { BaseAddress = server.Server.WebAddress };
        var routes = Contract
            .Select(method =>
                (Method: Name(method), Route: method.GetOptions()?.GetExtension(AnnotationsExtensions.Http))
            )
            .Where(pair => pair.Route is not null)
            .ToList();
        Assert.Equal(
            Contract.Count(method => method.Service.FullName.StartsWith("dti.", StringComparison.Ordinal)),
            routes.Count
        );
        foreach (var (method, route) in routes)
        {
            var path = System.Text.RegularExpressions.Regex.Replace(
                $"{route!.Get}{route.Post}{route.Delete}"[1..],
                @"\{[^}]*\}",
                "x"
            );
            var verb = route.PatternCase switch
            {
                HttpRule.PatternOneofCase.Get => HttpMethod.Get,
                HttpRule.PatternOneofCase.Post => HttpMethod.Post,
                _ => HttpMethod.Delete,
            };
            Assert.Equal((HttpStatusCode.Unauthorized, "TOKEN_REFUSED"), await SendAsync(http, verb, path, null));
            Assert.Equal((HttpStatusCode.Unauthorized, "TOKEN_REFUSED"), await SendAsync(http, verb, path, "wrong"));
            if (!RpcScopes.Of(method).HasFlag(Scopes.Read))
            {
                Assert.Equal(
                    (HttpStatusCode.Forbidden, "SCOPE_MISSING"),
                    await SendAsync(http, verb, path, server.Secrets[Scopes.Read])
                );
            }
        }

        Assert.Equal(
            HttpStatusCode.Unauthorized,
            (await http.GetAsync("v1/nothing", TestContext.Current.CancellationToken)).StatusCode
        );
        Assert.Equal(
            HttpStatusCode.OK,
            (await http.GetAsync("openapi/v1.json", TestContext.Current.CancellationToken)).StatusCode
        ); // the contract is no secret
    }

    [Fact]
    public async Task Authorization_ThatIsNoToken_IsRefusedAsAWrongOneIs()
    {
        await using var server = GuardedServer.Start(options => options with { WebPort = 0 });
        using var http = new HttpClient { BaseAddress = server.Server.WebAddress };
        foreach (
            var headers in new string[][]
            {
                ["Bearer"],
                ["Bearer "],
                ["Bearer  \t "],
                ["Bearer,Bearer"],
                ["Basic YWRtaW46YWRtaW4="],
                ["local"],
                ["Bearer local"],
                ["Bearer e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"], // the hash of nothing
                ["Bearer " + server.Secrets[Scopes.Admin], "Bearer wrong"],
            }
        )
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "v1/models");
            Assert.True(request.Headers.TryAddWithoutValidation("Authorization", headers));
            using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.True(
                response.StatusCode == HttpStatusCode.Unauthorized,
                $"{string.Join(" | ", headers)}: {response.StatusCode}"
            );
        }
    }

    [Fact]
    public async Task Preflight_OfAnAllowedPage_NeedsNoToken_AndTheCallAfterItDoes()
    {
        await using var server = GuardedServer.Start(options =>
            options with
            {
                WebPort = 0,
                WebOrigins = ["http://localhost:3000"],
            }
        );
        using var http = new HttpClient { BaseAddress = server.Server.WebAddress };
        using var preflight = new HttpRequestMessage(HttpMethod.Options, "v1/models")
        {
            Headers =
            {
                { "Origin", "http://localhost:3000" },
                { "Access-Control-Request-Method", "GET" },
                { "Access-Control-Request-Headers", "authorization" },
            },
        };
        using var call = new HttpRequestMessage(HttpMethod.Get, "v1/models")
        {
            Headers = { { "Origin", "http://localhost:3000" } },
        };

        using var allowed = await http.SendAsync(preflight, TestContext.Current.CancellationToken);
        using var refused = await http.SendAsync(call, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NoContent, allowed.StatusCode);
        Assert.Equal("authorization", allowed.Headers.GetValues("Access-Control-Allow-Headers").Single());
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
        Assert.True(refused.Headers.Contains("Access-Control-Allow-Origin")); // so that the page can read why
    }

    [Fact]
    public async Task Train_LargeRequestWithoutAToken_IsRefusedBeforeItIsRead()
    {
        await using var server = GuardedServer.Start();
        using var channel = server.Channel();
        var request = TestServer.Request("big", change: train =>
            train.Photos[0].Data = Google.Protobuf.ByteString.CopyFrom(new byte[48 << 20])
        );
        using var call = new DtiService.DtiServiceClient(channel).Train(request);
        await Refusal.Of(
            () => call.ResponseStream.MoveNext(TestContext.Current.CancellationToken),
            GrpcStatus.Unauthenticated
        );
    }

    [Fact]
    public async Task Refusals_InTheLog_SayWhyAndNeverTheSecret()
    {
        using var log = new LogCollector();
        await using var server = GuardedServer.Start(log);
        using var channel = server.Channel();
        var expired = server.Tokens.Create("late", ["read"], TimeSpan.FromTicks(1)).Secret;
        foreach (var secret in new[] { "dti_wrong-secret", expired, server.Secrets[Scopes.Generate] })
        {
            Assert.NotNull(await CallAsync(channel, "dti.v1.ModelService/List", "Bearer " + secret));
            Assert.DoesNotContain(log.Lines, line => line.Contains(secret, StringComparison.Ordinal));
        }

        Assert.Contains(log.Lines, line => line.Contains("the token is not known", StringComparison.Ordinal));
        Assert.Contains(log.Lines, line => line.Contains("the token 'late' has expired", StringComparison.Ordinal));
        Assert.Contains(log.Lines, line =>
            line.Contains("only-generate has not the scope read", StringComparison.Ordinal)
        );
    }

    private static async Task<(HttpStatusCode Status, string? Reason)> SendAsync(
        HttpClient http,
        HttpMethod verb,
        string path,
        string? secret
    )
    {
        using var request = new HttpRequestMessage(verb, path);
        request.Content =
            verb == HttpMethod.Post ? new StringContent("{}", System.Text.Encoding.UTF8, "application/json") : null;
        request.Headers.Authorization = secret is null ? null : new("Bearer", secret);
        using var response = await http.SendAsync(request, TestContext.Current.CancellationToken);
        var body = JsonNode.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!;
        return (response.StatusCode, (string?)body["details"]?[0]?["reason"]);
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

        using var call = channel
            .CreateCallInvoker()
            .AsyncServerStreamingCall(
                new Method<byte[], byte[]>(MethodType.ServerStreaming, names[0], names[1], _bytes, _bytes),
                null,
                new CallOptions(headers, cancellationToken: patience.Token),
                []
            );
        try
        {
            while (
                await call.ResponseStream.MoveNext(patience.Token)
                && method.Contains("Reflection", StringComparison.Ordinal)
            )
            {
                // One answer is enough to know that it was let in; but reflection logs an error if it is left before
                // its end.
            }

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
