using Dti.Server.Diagnosis;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dti.Server.Hosting;

/// <summary>Ready only while the device computes and the server is not on its way out.</summary>
internal sealed class DeviceHealthCheck(DeviceProbe device, Draining draining) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        draining.Begun ? HealthCheckResult.Unhealthy("The server is stopping.")
        : await device.ProblemAsync(cancellationToken) is { } problem ? HealthCheckResult.Unhealthy(problem)
        : HealthCheckResult.Healthy();
}
