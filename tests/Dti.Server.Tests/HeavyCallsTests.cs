using Dti.Server.Services;

namespace Dti.Server.Tests;

public sealed class HeavyCallsTests : IDisposable
{
    private readonly HeavyCalls _calls = new();

    public void Dispose() => _calls.Dispose();

    [Fact]
    public async Task Run_ManyAtOnce_ComputesOneAtATimeAndAll()
    {
        var (now, most) = (0, 0);

        var results = await Task.WhenAll(Enumerable.Range(0, 50).Select(number => _calls.RunAsync(
            () =>
            {
                most = Math.Max(most, Interlocked.Increment(ref now));
                Thread.Sleep(1);
                Interlocked.Decrement(ref now);
                return Task.FromResult(number);
            },
            TestContext.Current.CancellationToken)));

        Assert.Equal(1, most);
        Assert.Equal(Enumerable.Range(0, 50), results);
    }

    [Fact]
    public async Task Run_CancelledWhileItWaits_DoesNotComputeAndLetsTheNextHaveItsTurn()
    {
        using var first = new ManualResetEventSlim();
        using var gone = new CancellationTokenSource();
        var (running, computed) = (_calls.RunAsync(() => Task.FromResult(first.Wait(TimeSpan.FromMinutes(1))), TestContext.Current.CancellationToken), false);
        var waiting = _calls.RunAsync(() => Task.FromResult(computed = true), gone.Token);

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        first.Set();
        Assert.True(await running);
        Assert.Equal(3, await _calls.RunAsync(() => Task.FromResult(3), TestContext.Current.CancellationToken));
        Assert.False(computed);
    }

    [Fact]
    public async Task Run_Fails_GivesTheErrorAndTheNextItsTurn()
    {
        await Assert.ThrowsAsync<FormatException>(() => _calls.RunAsync<int>(() => throw new FormatException(), TestContext.Current.CancellationToken));

        Assert.Equal(3, await _calls.RunAsync(() => Task.FromResult(3), TestContext.Current.CancellationToken));
    }
}
