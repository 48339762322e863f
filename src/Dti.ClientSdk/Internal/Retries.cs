using Grpc.Core;
using Grpc.Net.Client.Configuration;

namespace Dti.ClientSdk.Internal;

/// <summary>What is tried again, and after what wait.</summary>
internal static class Retries
{
    public static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(8);

    // Not here: Generate and Interpolate, which would do the work twice; Import and Delete, whose second answer would
    // be an error.
    private static readonly (string Service, string[] Methods)[] _safe =
    [
        ("dti.v1.DtiService", ["Train"]),
        ("dti.v1.JobService", ["Get", "List", "Watch", "Cancel"]),
        ("dti.v1.ConceptService", ["List", "Get", "Inspect", "Export", "ListVersions"]),
        ("dti.v1.ModelService", ["List", "Get"]),
        ("dti.v1.ServerService", ["Get"]),
        ("dti.v1.ClusterService", ["Get"]),
    ];

    /// <summary>
    /// The channel's own retries: until a call's first answer. What comes after, <see cref="JobStream"/> picks up.
    /// </summary>
    public static ServiceConfig? Config(DtiClientOptions options)
    {
        if (options.MaxRetries == 0)
            return null;
        var method = new MethodConfig
        {
            RetryPolicy = new RetryPolicy
            {
                MaxAttempts = options.MaxRetries + 1,
                InitialBackoff = options.RetryDelay,
                MaxBackoff = LongestDelay,
                BackoffMultiplier = 2,
                RetryableStatusCodes = { StatusCode.Unavailable },
            },
        };
        foreach (var (service, methods) in _safe)
        {
            foreach (var name in methods)
                method.Names.Add(new MethodName { Service = service, Method = name });
        }

        return new ServiceConfig { MethodConfigs = { method } };
    }

    /// <summary>The wait before a try, counted from 1.</summary>
    public static TimeSpan Delay(TimeSpan first, int tries) =>
        TimeSpan.FromTicks((long)Math.Min(first.Ticks * Math.Pow(2, tries - 1), LongestDelay.Ticks));
}
