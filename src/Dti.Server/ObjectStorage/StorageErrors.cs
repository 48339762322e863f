using Dti.Engine;
using Dti.Server.Errors;

namespace Dti.Server.ObjectStorage;

/// <summary>What can be wrong with the storage of a cluster.</summary>
internal static class StorageErrors
{
    /// <summary>The reason of a storage that does not answer.</summary>
    public const string Unavailable = "STORAGE_UNAVAILABLE";

    private static readonly TimeSpan _retryAfter = TimeSpan.FromSeconds(10);

    /// <summary>UNAVAILABLE: the storage does not answer; jobs that run continue.</summary>
    public static DtiException NoAnswer(string location, string problem) =>
        Refusals.Unavailable(
            $"The cluster's storage {location} does not answer: {problem.TrimEnd('.')}. Try again later.",
            Unavailable,
            _retryAfter
        );

    /// <summary>FAILED_PRECONDITION: the storage refuses, which trying again does not change.</summary>
    public static DtiException Refused(string location, string problem, string advice) =>
        Refusals.FailedPrecondition(
            $"The cluster's storage {location} cannot be used: {problem.TrimEnd('.')}. {advice}",
            "STORAGE_REFUSED"
        );

    /// <summary>Whether a later try may succeed.</summary>
    public static bool IsUnavailable(Exception error) => error is DtiException { Reason: Unavailable };
}
