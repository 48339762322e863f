using Dti.ClientSdk;
using Dti.ClientSdk.Internal;
using Microsoft.Extensions.Logging;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Registers a <see cref="DtiClient"/>.</summary>
public static class DtiClientServiceCollectionExtensions
{
    /// <summary>
    /// Adds one <see cref="DtiClient"/> for the whole application. It logs to the application's loggers.
    /// </summary>
    /// <param name="services">The application's services.</param>
    /// <param name="address">The server: <c>http://localhost:5171</c>, <c>https://host</c>, or
    /// <c>host:port</c>.</param>
    /// <param name="options">How to talk to it; null: the defaults.</param>
    /// <returns><paramref name="services"/></returns>
    /// <exception cref="UriFormatException">The address cannot be read.</exception>
    public static IServiceCollection AddDtiClient(
        this IServiceCollection services,
        string address,
        DtiClientOptions? options = null
    )
    {
        var server = Channels.Parse(address);
        var given = options ?? new DtiClientOptions();
        return services.AddSingleton(provider => new DtiClient(
            server,
            given with
            {
                LoggerFactory = given.LoggerFactory ?? (ILoggerFactory?)provider.GetService(typeof(ILoggerFactory)),
            }
        ));
    }
}
