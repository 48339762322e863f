using System.Runtime.CompilerServices;
using Google.Protobuf;
using Grpc.Core;
using RpcStatus = Google.Rpc.Status;

namespace Dti.Server.Jobs;

/// <summary>
/// What happened in a job, in order. Any number of readers follow it, each at its own pace, from any step: the writer never
/// waits for them.
/// </summary>
internal sealed class EventLog
{
    private readonly Lock _lock = new();
    private readonly List<(int Step, IMessage Message)> _events = [];
    private TaskCompletionSource _changed = NewSignal();
    private bool _complete;
    private RpcStatus? _failure;

    /// <summary>Appends an event.</summary>
    /// <param name="step">The step it belongs to; 0: none, so that every reader gets it.</param>
    /// <param name="message">The event; not changed afterwards.</param>
    public void Append(int step, IMessage message) => Change(() => _events.Add((step, message)));

    /// <summary>Ends the log; readers see the failure, if any, after all events.</summary>
    public void Complete(RpcStatus? failure = null) => Change(() => (_complete, _failure) = (true, failure));

    /// <summary>Forgets the events; for jobs whose results nobody can ask for again.</summary>
    public void Clear() => Change(_events.Clear);

    /// <summary>Everything from a step on: what has been, then what comes, each once.</summary>
    /// <exception cref="RpcException">The job failed or was cancelled.</exception>
    public async IAsyncEnumerable<IMessage> ReadAsync(int fromStep, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var next = 0; ;)
        {
            (int Step, IMessage Message)[] batch;
            Task changed;
            bool complete;
            lock (_lock)
            {
                batch = [.. _events.Skip(next)];
                changed = _changed.Task;
                complete = _complete;
            }

            foreach (var (step, message) in batch)
            {
                if (step == 0 || step >= fromStep)
                {
                    yield return message;
                }
            }

            next += batch.Length;
            if (complete)
            {
                if (_failure is not null)
                {
                    throw _failure.ToRpcException();
                }

                yield break;
            }

            await changed.WaitAsync(cancellationToken);
        }
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Change(Action change)
    {
        TaskCompletionSource signal;
        lock (_lock)
        {
            if (_complete)
            {
                change();
                return;
            }

            change();
            signal = _changed;
            _changed = NewSignal();
        }

        signal.SetResult();
    }
}
