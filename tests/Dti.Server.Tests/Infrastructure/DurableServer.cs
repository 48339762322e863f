using Dti.Server.Configuration;
using Microsoft.Extensions.DependencyInjection;

namespace Dti.Server.Tests.Infrastructure;

/// <summary>Tests of a server whose concepts and jobs are still there when it is started again.</summary>
public abstract class DurableServer : IAsyncLifetime
{
    private protected DirectoryInfo Folder { get; } = Directory.CreateTempSubdirectory("dti-durable-");

    private protected TestServer Server { get; set; } = null!;

    private protected string JobFolder => Path.Combine(Folder.FullName, "jobs");

    public ValueTask InitializeAsync()
    {
        Server = Start();
        return default;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        Folder.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }

    private protected TestServer Start(
        Func<DtiServerOptions, DtiServerOptions>? change = null,
        Action<IServiceCollection>? services = null
    ) =>
        TestServer.Start(
            options =>
                (change ?? (same => same))(
                    options with
                    {
                        ConceptFolder = Path.Combine(Folder.FullName, "concepts"),
                        JobFolder = JobFolder,
                    }
                ),
            services
        );

    private protected async Task RestartAsync(Func<DtiServerOptions, DtiServerOptions>? change = null)
    {
        await Server.DisposeAsync();
        Server = Start(change);
    }
}
