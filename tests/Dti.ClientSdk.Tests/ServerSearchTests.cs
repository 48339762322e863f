using Dti.ClientSdk.Internal;
using Grpc.Core;

namespace Dti.ClientSdk.Tests;

public class ServerSearchTests
{
    private static readonly DtiClientException _lost = new(StatusCode.Unavailable, "lost");

    [Fact]
    public async Task FindAsync_FirstTryIsNeverAnswered_ALaterOneIsTaken()
    {
        var tries = 0;

        var found = await FindAsync(async token =>
        {
            var mine = ++tries;
            if (mine < 3)
                await Task.Delay(Timeout.Infinite, token);
            return mine;
        });

        Assert.Equal(3, found);
    }

    [Fact]
    public async Task FindAsync_TriesFail_GoesOn()
    {
        var tries = 0;

        Assert.Equal(
            3,
            await FindAsync(_ =>
                ++tries < 3
                    ? Task.FromException<int>(new DtiClientException(StatusCode.Unavailable, "refused"))
                    : Task.FromResult(tries)
            )
        );
    }

    [Fact]
    public async Task FindAsync_ServerRefuses_SaysSo()
    {
        var error = await Assert.ThrowsAsync<DtiClientException>(() =>
            FindAsync(_ => Task.FromException<int>(new DtiClientException(StatusCode.NotFound, "no such job")))
        );

        Assert.Equal(StatusCode.NotFound, error.Status);
    }

    [Fact]
    public async Task FindAsync_TimeIsUp_ThrowsWhatWasLost()
    {
        var error = await Assert.ThrowsAsync<DtiClientException>(() =>
            FindAsync(
                async token =>
                {
                    await Task.Delay(Timeout.Infinite, token);
                    return 0;
                },
                TimeSpan.FromMilliseconds(50)
            )
        );

        Assert.Same(_lost, error);
    }

    [Fact]
    public async Task FindAsync_AnsweredTwice_TheLaterOneIsDiscarded()
    {
        var discarded = new TaskCompletionSource<int>();
        var first = new TaskCompletionSource<int>();
        var tries = 0;

        var found = await ServerSearch.FindAsync(
            _ => ++tries == 1 ? first.Task : Task.FromResult(2),
            discarded.SetResult,
            TimeSpan.FromMilliseconds(1),
            _lost,
            DateTime.UtcNow.AddMinutes(1),
            TestContext.Current.CancellationToken
        );
        first.SetResult(1);

        Assert.Equal((2, 1), (found, await discarded.Task));
    }

    [Fact]
    public async Task FindAsync_Cancelled_Ends()
    {
        using var leave = new CancellationTokenSource();
        var search = ServerSearch.FindAsync<int>(
            async token =>
            {
                await Task.Delay(Timeout.Infinite, token);
                return 0;
            },
            null,
            TimeSpan.FromSeconds(1),
            _lost,
            DateTime.MaxValue,
            leave.Token
        );

        await leave.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => search);
    }

    private static Task<int> FindAsync(Func<CancellationToken, Task<int>> ask, TimeSpan? limit = null) =>
        ServerSearch.FindAsync(
            ask,
            null,
            TimeSpan.FromMilliseconds(1),
            _lost,
            DateTime.UtcNow + (limit ?? TimeSpan.FromMinutes(1)),
            TestContext.Current.CancellationToken
        );
}
