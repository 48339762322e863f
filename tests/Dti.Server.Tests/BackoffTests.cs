using Dti.Server.Jobs;
using Microsoft.Extensions.Time.Testing;

namespace Dti.Server.Tests;

public sealed class BackoffTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<string> _reported = [];
    private readonly Backoff _backoff;

    public BackoffTests() => _backoff = new Backoff(_time, _reported.Add, () => _reported.Add("over"));

    [Fact]
    public async Task Failed_AgainAndAgain_WaitsLongerUpToABound()
    {
        var pauses = new List<double>();
        for (var i = 0; i < 7; i++)
        {
            pauses.Add(await PauseAsync("full"));
        }

        Assert.Equal([1, 2, 4, 8, 16, 16, 16], pauses);
    }

    [Fact]
    public async Task Failed_ForTheSameReason_IsSaidOnceAndForAnotherOnceMore()
    {
        foreach (var reason in new[] { "full", "full", "full", "gone", "gone" })
        {
            await PauseAsync(reason);
        }

        Assert.Equal(["full", "gone"], _reported);
    }

    [Fact]
    public async Task Succeeded_AfterFailures_IsSaidOnceAndAllBeginsAnew()
    {
        _backoff.Succeeded(); // nothing was wrong
        await PauseAsync("full");
        await PauseAsync("full");
        _backoff.Succeeded();
        _backoff.Succeeded();

        Assert.Equal(1, await PauseAsync("full"));
        Assert.Equal(["full", "over", "full"], _reported);
    }

    [Fact]
    public async Task Failed_WhenTheServerStops_WaitsNoLonger()
    {
        using var stopping = new CancellationTokenSource();
        var waiting = _backoff.FailedAsync("full", stopping.Token);
        Assert.False(waiting.IsCompleted);
        await stopping.CancelAsync();
        await waiting;
    }

    /// <summary>How many seconds a failure has to wait.</summary>
    private async Task<double> PauseAsync(string reason)
    {
        var waiting = _backoff.FailedAsync(reason, TestContext.Current.CancellationToken);
        for (var seconds = 0; ; seconds++)
        {
            if (waiting.IsCompleted)
            {
                await waiting;
                return seconds;
            }

            Assert.True(seconds < 100);
            _time.Advance(TimeSpan.FromSeconds(1));
        }
    }
}
