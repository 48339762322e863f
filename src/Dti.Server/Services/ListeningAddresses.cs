using Dti.Server.Configuration;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;

namespace Dti.Server.Services;

/// <summary>The addresses of a started server.</summary>
internal sealed class ListeningAddresses(IServer server, DtiServerOptions options)
{
    /// <summary>For gRPC, and with TLS for browsers too.</summary>
    public Uri Address => All.First();

    /// <summary>For callers by HTTP/1.1; null: none.</summary>
    public Uri? Web => options.WebPort is null ? null : All.Skip(1).First();

    /// <summary>Of the page Dti Studio; null: there is none.</summary>
    public Uri? Studio =>
        !options.Studio ? null
        : options.Security.HasTls ? Address
        : Web;

    /// <summary>For Prometheus; null: none.</summary>
    public Uri? Metrics => options.MetricsPort is null ? null : All.Last();

    private IEnumerable<Uri> All =>
        server.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(address => new Uri(address));
}
