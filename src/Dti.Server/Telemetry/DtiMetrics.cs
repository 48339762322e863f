using System.Diagnostics.Metrics;

namespace Dti.Server.Telemetry;

/// <summary>
/// Every instrument of the server; names and units follow OpenTelemetry's conventions, the values of tags are few and
/// fixed. docs/operations.md lists them.
/// </summary>
internal static class DtiMetrics
{
    /// <summary>The meter's name, and that of the activity source.</summary>
    public const string Name = "Dti.Server";

    private static readonly Meter _meter = new(Name);

    public static readonly UpDownCounter<int> JobsWaiting = _meter.CreateUpDownCounter<int>(
        "dti.jobs.waiting",
        "{job}",
        "Jobs in the queue."
    );

    public static readonly UpDownCounter<int> JobsRunning = _meter.CreateUpDownCounter<int>(
        "dti.jobs.running",
        "{job}",
        "Jobs on a device."
    );

    public static readonly Histogram<double> JobWait = _meter.CreateHistogram(
        "dti.job.wait.duration",
        "s",
        "From a job's acceptance to its start.",
        advice: Buckets(0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600)
    );

    public static readonly Histogram<double> JobDuration = _meter.CreateHistogram(
        "dti.job.duration",
        "s",
        "From a job's start to its end; also counts jobs by how they ended.",
        advice: Buckets(0.1, 0.5, 1, 5, 10, 30, 60, 300, 900, 3600, 14400)
    );

    public static readonly Histogram<double> StepDuration = _meter.CreateHistogram(
        "dti.step.duration",
        "s",
        "One training or sampling step.",
        advice: Buckets(0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
    );

    public static readonly Gauge<int> TrainingStep = _meter.CreateGauge<int>(
        "dti.training.step",
        "{step}",
        "Step of the newest training."
    );

    public static readonly Gauge<double> TrainingLoss = _meter.CreateGauge<double>(
        "dti.training.loss",
        "1",
        "Loss of that step."
    );

    public static readonly Gauge<double> TrainingLossAverage = _meter.CreateGauge<double>(
        "dti.training.loss.average",
        "1",
        "Moving average of the loss."
    );

    public static readonly Counter<int> CacheRequests = _meter.CreateCounter<int>(
        "dti.model_cache.requests",
        "{request}",
        "Models taken into use, by whether they were in memory."
    );

    public static readonly Counter<int> CacheEvictions = _meter.CreateCounter<int>(
        "dti.model_cache.evictions",
        "{model}",
        "Models that made room for others."
    );

    public static readonly UpDownCounter<long> CacheBytes = _meter.CreateUpDownCounter<long>(
        "dti.model_cache.size",
        "By",
        "Bytes of weights in memory."
    );

    public static readonly Counter<int> Rejections = _meter.CreateCounter<int>(
        "dti.rejections",
        "{call}",
        "Calls that were refused, by status and reason."
    );

    public static readonly Gauge<int> HostInfo = _meter.CreateGauge<int>(
        "dti.host.info",
        description: "1, with the role, version and device of a host of a cluster."
    );

    public static readonly Gauge<long> DeviceMemoryLimit = _meter.CreateGauge<long>(
        "dti.device.memory.limit",
        "By",
        "Bytes that a job may take on a device of a cluster, its model included."
    );

    public static readonly Gauge<long> DeviceMemoryUsed = _meter.CreateGauge<long>(
        "dti.device.memory.used",
        "By",
        "Bytes of those that the models of running jobs take."
    );

    public static readonly Gauge<int> ModelLoaded = _meter.CreateGauge<int>(
        "dti.model.loaded",
        description: "1 if a model of a host of a cluster is in memory, else 0."
    );

    private static InstrumentAdvice<double> Buckets(params double[] boundaries) =>
        new() { HistogramBucketBoundaries = boundaries };
}
