using Dti.Server.Jobs.Grains;
using Microsoft.Extensions.Time.Testing;

namespace Dti.Server.Tests.Queue;

public sealed class PacedActionTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly List<(Func<Task> Run, TimeSpan Delay)> _scheduled = [];
    private readonly PacedAction _paced;
    private int _runs;

    public PacedActionTests() =>
        _paced = new PacedAction(
            () =>
            {
                _runs++;
                return Task.CompletedTask;
            },
            TimeSpan.FromSeconds(1),
            (run, delay) => _scheduled.Add((run, delay)),
            _time
        );

    [Fact]
    public async Task Notify_FirstChange_RunsAtOnce()
    {
        await _paced.NotifyAsync();

        Assert.Equal((1, 0), (_runs, _scheduled.Count));
    }

    [Fact]
    public async Task Notify_ChangesWithinAPeriod_RunsOnceMoreAtItsEnd()
    {
        await _paced.NotifyAsync();
        _time.Advance(TimeSpan.FromSeconds(0.25));
        await _paced.NotifyAsync();
        await _paced.NotifyAsync();

        Assert.Equal(1, _runs);
        var (run, delay) = Assert.Single(_scheduled);
        Assert.Equal(0.75, delay.TotalSeconds);
        await run();
        Assert.Equal(2, _runs);
    }

    [Fact]
    public async Task Notify_ChangeAfterTheScheduledRun_IsNotLost()
    {
        await _paced.NotifyAsync();
        await _paced.NotifyAsync();
        _time.Advance(_scheduled[0].Delay);
        await _scheduled[0].Run();

        await _paced.NotifyAsync(); // the period begins with the last run

        Assert.Equal((2, 2), (_runs, _scheduled.Count));
        _time.Advance(TimeSpan.FromSeconds(1));
        await _scheduled[1].Run();
        _time.Advance(TimeSpan.FromSeconds(1));
        await _paced.NotifyAsync();
        Assert.Equal((4, 2), (_runs, _scheduled.Count));
    }
}
