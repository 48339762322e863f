using Dti.Server.Diagnosis;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Dti.Server.Hosting;

/// <summary>
/// Ready only while the device computes, a job could be accepted, and the server has not been told to stop.
/// </summary>
internal sealed class DeviceHealthCheck(DeviceProbe device, JobsProbe jobs, Draining draining) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context,
        CancellationToken cancellationToken = default
    ) =>
        draining.Begun ? HealthCheckResult.Unhealthy("The server is stopping.")
        : await device.ProblemAsync(cancellationToken) is { } problem ? HealthCheckResult.Unhealthy(problem)
        : await jobs.ProblemAsync(cancellationToken) is { } reason ? HealthCheckResult.Unhealthy(reason)
        : HealthCheckResult.Healthy();
}
