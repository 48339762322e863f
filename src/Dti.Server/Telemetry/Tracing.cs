using System.Diagnostics;

namespace Dti.Server.Telemetry;

/// <summary>
/// The spans of the server besides those of its calls: one for a job, below the call that submitted it, and one for
/// each of its phases.
/// </summary>
internal static class Tracing
{
    private static readonly ActivitySource _source = new(DtiMetrics.Name);

    /// <summary>Starts a job's span.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="traceParent">W3C's traceparent of the span above it; null: none.</param>
    /// <returns>Null where nobody listens.</returns>
    public static Activity? Start(string name, string? traceParent) =>
        ActivityContext.TryParse(traceParent, null, isRemote: true, out var above)
            ? _source.StartActivity(name, ActivityKind.Consumer, above)
            : _source.StartActivity(name, ActivityKind.Consumer);

    /// <summary>
    /// Starts the span of a phase of the job that runs on this thread: <c>load</c>, <c>train</c>, <c>draw</c>,
    /// <c>save</c>.
    /// </summary>
    public static Activity? Phase(string name) => _source.StartActivity(name);
}
