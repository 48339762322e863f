using System.Runtime.CompilerServices;
using Dti.ClientSdk.Internal;
using Grpc.Core;
using Microsoft.Extensions.Logging.Abstractions;
using static Dti.ClientSdk.Tests.Updates;

namespace Dti.ClientSdk.Tests;

public class JobStreamTests
{
    private static readonly DtiClientOptions _options = new() { RetryDelay = TimeSpan.FromMilliseconds(1) };

    [Fact]
    public async Task FollowAsync_ConnectionLostTwice_GivesEveryEventOnce()
    {
        var watched = new List<(string JobId, int FromStep)>();
        var parts = new Queue<IAsyncEnumerable<TrainingUpdate>>([
            Lost([Accepted, Step(1), Step(2), Preview(2)]),
            Whole([Accepted, Step(2), Preview(2), Step(3), Preview(3), Result]),
        ]);

        var seen = await ReadAsync(
            () => Lost([Accepted, Step(1)]),
            (jobId, step) =>
            {
                watched.Add((jobId, step));
                return parts.Dequeue();
            }
        );

        Assert.Equal([Accepted, Step(1), Step(2), Preview(2), Step(3), Preview(3), Result], seen);
        Assert.Equal([("job-1", 1), ("job-1", 2)], watched);
    }

    [Fact]
    public async Task FollowAsync_StreamEndsWithoutResult_GoesOn()
    {
        var seen = await ReadAsync(
            () => Whole([Accepted, Step(1)]),
            (_, _) => Whole([Accepted, Step(1), Step(2), Result])
        );

        Assert.Equal([Accepted, Step(1), Step(2), Result], seen);
    }

    [Fact]
    public async Task FollowAsync_ServerStaysAway_GivesUp()
    {
        var error = await Assert.ThrowsAsync<DtiClientException>(() =>
            ReadAsync(
                () => Lost([Accepted]),
                (_, _) => throw new InvalidOperationException("watched"),
                find: (_, lost, _, _, _) => throw lost
            )
        );

        Assert.Equal(StatusCode.Unavailable, error.Status);
    }

    [Fact]
    public async Task FollowAsync_NoTimeToWait_DoesNotLookForTheServer()
    {
        var error = await Assert.ThrowsAsync<DtiClientException>(() =>
            ReadAsync(
                () => Lost([Accepted]),
                (_, _) => throw new InvalidOperationException("watched"),
                options: _options with
                {
                    ReconnectTimeout = TimeSpan.Zero,
                }
            )
        );

        Assert.Equal(StatusCode.Unavailable, error.Status);
    }

    [Fact]
    public async Task FollowAsync_ConnectionIsLostAtOnceAgainAndAgain_GivesUpWhenItsTimeIsUp()
    {
        var watched = 0;

        var error = await Assert.ThrowsAsync<DtiClientException>(() =>
            ReadAsync(
                () => Lost([Accepted]),
                (_, _) =>
                {
                    watched++;
                    return Lost([]);
                },
                options: _options with
                {
                    ReconnectTimeout = TimeSpan.FromSeconds(1),
                }
            )
        );

        Assert.Equal(StatusCode.Unavailable, error.Status);
        Assert.InRange(watched, 2, 100);
    }

    [Fact]
    public async Task FollowAsync_ServerIsAwayForLongerThanAMoment_SaysSinceWhenAndUntilWhenItWaits()
    {
        var told = new TaskCompletionSource();
        var seen = new List<TrainingUpdate>();
        await foreach (
            var update in JobStream.FollowAsync(
                () => Lost([Accepted]),
                (_, _) => Whole([Accepted, Result]),
                (_, _, _, _, _) => told.Task,
                new TrainingCursor(),
                null,
                _options,
                NullLogger.Instance,
                TestContext.Current.CancellationToken
            )
        )
        {
            seen.Add(update);
            if (update is TrainingConnectionLost)
                told.SetResult();
        }

        var lost = Assert.IsType<TrainingConnectionLost>(seen[1]);
        Assert.Equal(_options.ReconnectTimeout, lost.Until - lost.Since);
        Assert.Equal([Accepted, lost, Result], seen);
    }

    [Fact]
    public async Task FollowAsync_NeverAccepted_DoesNotTryAgain()
    {
        var error = await Assert.ThrowsAsync<DtiClientException>(() =>
            ReadAsync(() => Lost([]), (_, _) => throw new InvalidOperationException("watched"))
        );

        Assert.Equal(StatusCode.Unavailable, error.Status);
    }

    [Fact]
    public async Task FollowAsync_JobFails_DoesNotTryAgain()
    {
        var error = await Assert.ThrowsAsync<DtiClientException>(() =>
            ReadAsync(
                () => Broken([Accepted, Step(1)], StatusCode.Cancelled),
                (_, _) => throw new InvalidOperationException("watched")
            )
        );

        Assert.Equal(StatusCode.Cancelled, error.Status);
    }

    [Fact]
    public async Task FollowAsync_LostOrEndedWhenTimeIsUp_SaysTheDeadlinePassed()
    {
        foreach (var cut in new[] { Lost([Accepted, Step(1)]), Whole([Accepted, Step(1)]) })
        {
            var error = await Assert.ThrowsAsync<DtiClientException>(() =>
                ReadAsync(() => cut, (_, _) => throw new InvalidOperationException("watched"), DateTime.UtcNow)
            );
            Assert.Equal(StatusCode.DeadlineExceeded, error.Status);
        }
    }

    private static async Task<List<TrainingUpdate>> ReadAsync(
        Func<IAsyncEnumerable<TrainingUpdate>> start,
        Func<string, int, IAsyncEnumerable<TrainingUpdate>> watch,
        DateTime? deadline = null,
        JobStream.FindServer? find = null,
        DtiClientOptions? options = null
    )
    {
        var seen = new List<TrainingUpdate>();
        find ??= (_, _, _, _, _) => Task.CompletedTask;
        await foreach (
            var update in JobStream.FollowAsync(
                start,
                watch,
                find,
                new TrainingCursor(),
                deadline,
                options ?? _options,
                NullLogger.Instance,
                TestContext.Current.CancellationToken
            )
        )
        {
            seen.Add(update);
        }

        return seen;
    }

    private static IAsyncEnumerable<TrainingUpdate> Whole(TrainingUpdate[] updates) => Broken(updates, null);

    private static IAsyncEnumerable<TrainingUpdate> Lost(TrainingUpdate[] updates) =>
        Broken(updates, StatusCode.Unavailable);

    private static async IAsyncEnumerable<TrainingUpdate> Broken(
        TrainingUpdate[] updates,
        StatusCode? status,
        [EnumeratorCancellation] CancellationToken cancellationToken = default
    )
    {
        foreach (var update in updates)
        {
            await Task.Yield();
            cancellationToken.ThrowIfCancellationRequested();
            yield return update;
        }

        if (status is { } broken)
            throw new DtiClientException(broken, "lost");
    }
}
