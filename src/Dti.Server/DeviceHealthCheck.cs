using Dti.Engine.Runtime;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using static TorchSharp.torch;

namespace Dti.Server;

/// <summary>Healthy only if the device computes now.</summary>
internal sealed class DeviceHealthCheck(ComputeTarget target) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            using var scope = NewDisposeScope();
            var sum = ones(2, dtype: target.Dtype, device: target.Device).sum().to(ScalarType.Float32).item<float>();
            return Task.FromResult(sum == 2 ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy($"{target.DeviceName} says 1 + 1 = {sum}"));
        }
        catch (Exception error)
        {
            return Task.FromResult(HealthCheckResult.Unhealthy($"{target.DeviceName} does not compute", error));
        }
    }
}
