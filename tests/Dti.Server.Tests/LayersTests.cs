using ArchUnitNET.Loader;
using Dti.Server.Errors;
using Dti.Server.Services;
using Dti.Tests;

namespace Dti.Server.Tests;

/// <summary>The layers of the server, as compiled.</summary>
public sealed class LayersTests
{
    [Fact]
    public void Violations_Server_RefersDownwardOnly()
    {
        var layers = new Layers(
            "Dti.Server",
            [
                "Configuration",
                "Telemetry",
                "Errors",
                "ObjectStorage",
                "Security",
                "Libraries",
                "Mapping",
                "Jobs",
                "Services",
                "Diagnosis",
                "Hosting",
                "", // where programs begin
            ]
        );

        Assert.Empty(layers.Violations(typeof(DtiHost).Assembly));
    }

    /// <summary>Everything else throws DtiException, so that one place decides which status a caller gets.</summary>
    [Fact]
    public void RpcException_Server_IsNamedByTheMappingAndTheInterceptorOnly()
    {
        var naming = new ArchLoader()
            .WithoutArchitectureCache()
            .LoadAssembly(typeof(DtiHost).Assembly)
            .Build()
            .Types.Where(type => type.Namespace?.FullName != "Dti.V1") // generated
            .Where(type =>
                type.Dependencies.Any(dependency =>
                    dependency.Target.FullName
                        is "Grpc.Core.RpcException"
                            or "Grpc.Core.RpcStatusExtensions"
                            or "Grpc.Core.RpcExceptionExtensions"
                )
            )
            .Select(type => type.FullName.Split('+')[0])
            .Distinct()
            .Order(StringComparer.Ordinal);

        Assert.Equal([typeof(StatusMapper).FullName, typeof(ErrorInterceptor).FullName], naming);
    }
}
