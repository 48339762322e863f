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
}
