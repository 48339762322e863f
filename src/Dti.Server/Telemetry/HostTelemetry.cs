namespace Dti.Server.Telemetry;

/// <summary>Metrics of a host of a cluster.</summary>
internal static class HostTelemetry
{
    /// <summary>What the host is; its name is a label of every metric.</summary>
    public static void Host(string role, string version, string device) =>
        DtiMetrics.HostInfo.Record(
            1,
            new("dti.host.role", role),
            new("dti.host.version", version),
            new("dti.device", device)
        );

    /// <summary>Bytes that a job may take on a device, and those that the models of running jobs take.</summary>
    public static void Memory(string device, long limit, long used)
    {
        DtiMetrics.DeviceMemoryLimit.Record(limit, new KeyValuePair<string, object?>("dti.device", device));
        DtiMetrics.DeviceMemoryUsed.Record(used, new KeyValuePair<string, object?>("dti.device", device));
    }

    /// <summary>Whether a model is in memory.</summary>
    public static void Model(string name, bool isLoaded) =>
        DtiMetrics.ModelLoaded.Record(isLoaded ? 1 : 0, new KeyValuePair<string, object?>("dti.model", name));
}
