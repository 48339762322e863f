using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http.Features;

namespace Dti.ClientSdk.Tests;

/// <summary>Stands before the server's services: notes the tokens of calls, and loses the first reply to one.</summary>
internal sealed class Tap : IStartupFilter
{
    private readonly ConcurrentDictionary<string, bool> _lose = new(StringComparer.Ordinal);

    /// <summary>The authorization header of each call.</summary>
    public ConcurrentQueue<string> Authorizations { get; } = [];

    /// <summary>
    /// Drops the connection when the first call with this token is answered: the server has done it, the client does
    /// not know.
    /// </summary>
    public void LoseFirstReply(string token) => _lose["Bearer " + token] = true;

    public Action<IApplicationBuilder> Configure(Action<IApplicationBuilder> next) =>
        app =>
        {
            app.Use(
                async (context, proceed) =>
                {
                    var authorization = context.Request.Headers.Authorization.ToString();
                    Authorizations.Enqueue(authorization);
                    if (_lose.TryRemove(authorization, out _))
                    {
                        context.Response.OnStarting(() =>
                        {
                            context.Features.GetRequiredFeature<IConnectionLifetimeFeature>().Abort();
                            return Task.CompletedTask;
                        });
                    }

                    await proceed();
                }
            );
            next(app);
        };
}
