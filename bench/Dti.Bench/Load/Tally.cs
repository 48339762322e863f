using System.Collections.Concurrent;
using Dti.Tests;
using Google.Rpc;
using Grpc.Core;

namespace Dti.Bench.Load;

/// <summary>What the bench itself did to a call.</summary>
[Flags]
internal enum Fault
{
    None = 0,

    /// <summary>It went by a connection that is reset now and then.</summary>
    Cut = 1,

    /// <summary>Its caller went away.</summary>
    Cancelled = 2,
}

/// <summary>What was answered to whom, and what of it has no known cause.</summary>
internal sealed class Tally(SmallDisk disk)
{
    private const int MostTold = 100;
    private readonly ConcurrentDictionary<(string Call, StatusCode Status, string Why), int> _answers = new();

    /// <summary>Answers that nothing explains, and results that are not what they should be.</summary>
    public ConcurrentQueue<string> Wrong { get; } = new();

    /// <summary>How often each was answered, most often first.</summary>
    public IEnumerable<(string Call, StatusCode Status, string Why, int Times)> Answers =>
        _answers
            .Select(answer => (answer.Key.Call, answer.Key.Status, answer.Key.Why, answer.Value))
            .OrderBy(answer => answer.Call, StringComparer.Ordinal)
            .ThenByDescending(answer => answer.Value);

    /// <summary>How many of a status.</summary>
    public int Count(Func<StatusCode, bool> which) =>
        _answers.Where(answer => which(answer.Key.Status)).Sum(answer => answer.Value);

    public void Add(string call) => Add(call, StatusCode.OK, "");

    /// <summary>A call was answered with something else than OK.</summary>
    /// <param name="call">The call.</param>
    /// <param name="error">The answer.</param>
    /// <param name="faults">What the bench did to it.</param>
    /// <param name="happened">When what it tells of happened; null: now.</param>
    public void Add(string call, RpcException error, Fault faults, DateTimeOffset? happened)
    {
        var status = error.GetRpcStatus();
        var reason = status?.GetDetail<ErrorInfo>()?.Reason
            ?? (status?.GetDetail<BadRequest>() is { FieldViolations.Count: > 0 } ? "fields" : "");
        var why =
            faults.HasFlag(Fault.Cancelled) && error.StatusCode == StatusCode.Cancelled && reason.Length == 0
                ? "its caller went away"
            : faults.HasFlag(Fault.Cut)
            && reason.Length == 0
            && error.StatusCode is StatusCode.Unavailable or StatusCode.Internal or StatusCode.Cancelled
                ? "its connection was cut"
            : IsExplained(
                new RpcFuzz.Answer(call, error.StatusCode, reason),
                happened ?? DateTimeOffset.UtcNow,
                happened ?? DateTimeOffset.UtcNow
            )
                ? reason
            : null;
        if (why is null)
        {
            Tell($"{call}: {error.StatusCode} {reason} {error.Status.Detail}");
        }

        Add(call, error.StatusCode, why ?? $"{reason} (no known cause)");
    }

    /// <summary>Answers to messages that nobody would send.</summary>
    /// <param name="answers">How often each was given.</param>
    /// <param name="since">When the first message was sent.</param>
    public void Add(IReadOnlyDictionary<RpcFuzz.Answer, int> answers, DateTimeOffset since)
    {
        foreach (var (answer, times) in answers)
        {
            var late = answer.Status == StatusCode.DeadlineExceeded; // of a minute; a queue may be longer
            if (!late && !IsExplained(answer, since, DateTimeOffset.UtcNow))
            {
                Tell($"{times} × {answer}");
            }

            _answers.AddOrUpdate(
                ("generated messages", answer.Status, late ? "the caller's minute was over" : answer.Reason),
                times,
                (_, before) => before + times
            );
        }
    }

    /// <summary>Something is not as it should be.</summary>
    public void Tell(string wrong)
    {
        if (Wrong.Count < MostTold)
        {
            Wrong.Enqueue($"{DateTimeOffset.UtcNow:HH:mm:ss} {wrong}");
        }
    }

    // A reason that the contract's documentation names; of a full disk only if it was full then.
    private bool IsExplained(RpcFuzz.Answer answer, DateTimeOffset from, DateTimeOffset to) =>
        RpcFuzz.IsDocumented(answer)
        && (answer.Reason is not ("DISK_LOW" or "RESOURCE_EXHAUSTED") || disk.WasFull(from, to));

    private void Add(string call, StatusCode status, string why) =>
        _answers.AddOrUpdate((call, status, why), 1, (_, before) => before + 1);
}
