using Dti.Engine;
using Dti.Server.Configuration;
using Dti.Server.Services;

namespace Dti.Server.Tests;

public sealed class HeavyCallsTests
{
    private readonly HeavyCalls _calls = new();

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_ManyAtOnce_ComputesOneAtATimeAndAll()
    {
        var (now, most) = (0, 0);

        var results = await Task.WhenAll(
            Enumerable
                .Range(0, 50)
                .Select(number =>
                    _calls.RunAsync(
                        "anna",
                        _ =>
                        {
                            most = Math.Max(most, Interlocked.Increment(ref now));
                            Thread.Sleep(1);
                            Interlocked.Decrement(ref now);
                            return Task.FromResult(number);
                        },
                        Cancellation
                    )
                )
        );

        Assert.Equal(1, most);
        Assert.Equal(Enumerable.Range(0, 50), results);
    }

    [Fact]
    public async Task Run_CancelledWhileItWaits_DoesNotComputeAndLetsTheNextHaveItsTurn()
    {
        using var first = new ManualResetEventSlim();
        using var gone = new CancellationTokenSource();
        var (running, computed) = (Hold(first), false);
        var waiting = _calls.RunAsync("anna", _ => Task.FromResult(computed = true), gone.Token);

        await gone.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        first.Set();
        Assert.True(await running);
        Assert.Equal(3, await _calls.RunAsync("anna", _ => Task.FromResult(3), Cancellation));
        Assert.False(computed);
    }

    [Fact]
    public async Task Run_Fails_GivesTheErrorAndTheNextItsTurn()
    {
        await Assert.ThrowsAsync<FormatException>(() =>
            _calls.RunAsync<int>("anna", _ => throw new FormatException(), Cancellation)
        );

        Assert.Equal(3, await _calls.RunAsync("anna", _ => Task.FromResult(3), Cancellation));
    }

    [Fact]
    public async Task Run_ManyOfOneCaller_TheOtherIsNext()
    {
        using var first = new ManualResetEventSlim();
        var running = Hold(first);
        var order = new List<string>();
        Task[] waiting =
        [
            .. new[] { "anna", "anna", "anna", "bob" }.Select(caller =>
                _calls.RunAsync(caller, _ => Task.FromResult(Note(order, caller)), Cancellation)
            ),
        ];

        first.Set();
        await Task.WhenAll([running, .. waiting]);

        Assert.Equal(["bob", "anna", "anna", "anna"], order);
    }

    [Fact]
    public async Task Run_MoreOfACallerThanMayWait_IsExhaustedAndOthersMayWait()
    {
        using var first = new ManualResetEventSlim();
        var running = Hold(first);
        Task[] waiting =
        [
            .. Enumerable
                .Range(0, RequestBounds.WaitingOfCaller)
                .Select(_ => _calls.RunAsync("anna", _ => Task.FromResult(1), Cancellation)),
        ];

        var refused = await Assert.ThrowsAsync<DtiException>(() =>
            _calls.RunAsync("anna", _ => Task.FromResult(1), Cancellation)
        );
        Assert.Equal((ErrorKind.ResourceExhausted, "TOO_MANY_CALLS"), (refused.Kind, refused.Reason));
        var other = _calls.RunAsync("bob", _ => Task.FromResult(1), Cancellation);

        first.Set();
        await Task.WhenAll([running, other, .. waiting]);
    }

    private Task<bool> Hold(ManualResetEventSlim until) =>
        _calls.RunAsync(
            "anna",
            cancelled => Task.FromResult(until.Wait(TimeSpan.FromMinutes(1), cancelled)),
            Cancellation
        );

    private static bool Note(List<string> order, string caller)
    {
        order.Add(caller);
        return true;
    }
}
