using Dti.Server.Configuration;
using Dti.Server.Security;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Grpc.Net.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>A server that needs tokens, with one for each scope and callers by name.</summary>
internal sealed class GuardedServer : IAsyncDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-doors-");
    private readonly TestServer _server;
    private readonly List<GrpcChannel> _channels = [];

    private GuardedServer(Func<DtiServerOptions, DtiServerOptions>? change, ILoggerProvider? log = null)
    {
        var file = Path.Combine(_folder.FullName, "tokens.json");
        Tokens = new AccessTokens(file);
        foreach (var scope in new[] { Scopes.Read, Scopes.Generate, Scopes.Train, Scopes.Admin })
        {
            Secrets[scope] = Tokens.Create($"only-{ScopeNames.Of(scope)[0]}", ScopeNames.Of(scope)).Secret;
        }

        _server = TestServer.Start(
            options =>
            {
                options = change?.Invoke(options) ?? options;
                return options with { Security = options.Security with { TokenFile = file } };
            },
            log is null
                ? null
                : services => services.AddLogging(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(log))
        );
    }

    public AccessTokens Tokens { get; }

    /// <summary>Tokens with one scope each.</summary>
    public Dictionary<Scopes, string> Secrets { get; } = [];

    public TestServer Server => _server;

    public static GuardedServer Start(Func<DtiServerOptions, DtiServerOptions>? change = null) => new(change);

    /// <summary>Starts one whose log is read.</summary>
    public static GuardedServer Start(ILoggerProvider log) => new(null, log);

    public GrpcChannel Channel()
    {
        var channel = _server.NewChannel();
        _channels.Add(channel);
        return channel;
    }

    /// <summary>A caller with a token of its own.</summary>
    public CallInvoker As(string name, params string[] scopes) => With(Tokens.Create(name, scopes).Secret);

    /// <summary>Calls with a token.</summary>
    public CallInvoker With(string secret) =>
        Channel()
            .Intercept(headers =>
            {
                headers.Add("authorization", "Bearer " + secret);
                return headers;
            });

    public async ValueTask DisposeAsync()
    {
        _channels.ForEach(channel => channel.Dispose());
        await _server.DisposeAsync();
        _folder.Delete(recursive: true);
    }
}
