using Dti.Server.Configuration;
using Dti.Server.Errors;
using Microsoft.Extensions.Hosting;

namespace Dti.Server.Services;

/// <summary>
/// Runs expensive calls that are not jobs, one at a time: several at once would each hold a vocabulary or a photo in
/// memory, and occupy the threads that serve all other calls. The next call is that of the caller that was served
/// longest ago. Its execution ends with the call, or when the server stops.
/// </summary>
/// <param name="lifetime">Signals when the server stops; null: never.</param>
internal sealed class HeavyCalls(IHostApplicationLifetime? lifetime = null)
{
    private readonly Lock _lock = new();
    private readonly LinkedList<Waiter> _waiting = [];

    // by caller: the turn at which it last was
    private readonly Dictionary<string, long> _served = new(StringComparer.Ordinal);
    private long _turn;
    private bool _busy;

    /// <summary>Runs a computation when it is the caller's turn.</summary>
    /// <param name="caller">Whose turn it is.</param>
    /// <param name="compute">Runs on another thread, and checks the token in every loop.</param>
    /// <param name="cancellationToken">Of the call: a cancelled call leaves the queue, or ends its computation.</param>
    /// <exception cref="OperationCanceledException">The call was cancelled.</exception>
    /// <exception cref="Dti.Engine.DtiException">Too many calls wait (RESOURCE_EXHAUSTED), or the server
    /// stops.</exception>
    public async Task<T> RunAsync<T>(
        string caller,
        Func<CancellationToken, Task<T>> compute,
        CancellationToken cancellationToken
    )
    {
        var stopping = lifetime?.ApplicationStopping ?? CancellationToken.None;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, stopping);
        try
        {
            await WaitForTurnAsync(caller, ends.Token);
            try
            {
                return await Task.Run(() => compute(ends.Token), ends.Token);
            }
            finally
            {
                StartNext();
            }
        }
        catch (OperationCanceledException)
            when (stopping.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Refusals.ServerStopping();
        }
    }

    private async Task WaitForTurnAsync(string caller, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Waiter waiter;
        lock (_lock)
        {
            if (!_busy)
            {
                _busy = true;
                _served[caller] = ++_turn;
                return;
            }

            if (
                _waiting.Count >= RequestBounds.Waiting
                || _waiting.Count(other => other.Caller == caller) >= RequestBounds.WaitingOfCaller
            )
            {
                throw Refusals.ResourceExhausted(
                    "Too many calls are waiting to look at photos or at a vocabulary.",
                    "TOO_MANY_CALLS",
                    TimeSpan.FromSeconds(10)
                );
            }

            waiter = new Waiter(caller);
            _waiting.AddLast(waiter);
        }

        await using var registration = cancellationToken.Register(() =>
        {
            lock (_lock)
            {
                if (!_waiting.Remove(waiter))
                {
                    return; // it is its turn
                }
            }

            waiter.Turn.TrySetCanceled(cancellationToken);
        });
        await waiter.Turn.Task;
    }

    private void StartNext()
    {
        Waiter? next;
        lock (_lock)
        {
            next = _waiting.MinBy(waiter => _served.GetValueOrDefault(waiter.Caller)); // of equals the first
            if (next is null)
            {
                _busy = false;
                _served.Clear();
                return;
            }

            _waiting.Remove(next);
            _served[next.Caller] = ++_turn;
        }

        next.Turn.TrySetResult();
    }

    private sealed class Waiter(string caller)
    {
        public string Caller => caller;

        public TaskCompletionSource Turn { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
