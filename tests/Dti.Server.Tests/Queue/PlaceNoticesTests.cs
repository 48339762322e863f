using Dti.Server.Jobs.Grains;
using Microsoft.Extensions.Time.Testing;

namespace Dti.Server.Tests.Queue;

public sealed class PlaceNoticesTests
{
    private static readonly DateTimeOffset _start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly FakeTimeProvider _time = new();
    private readonly PlaceNotices _notices;

    public PlaceNoticesTests()
    {
        _notices = new PlaceNotices(_time, repeatAfter: TimeSpan.FromMinutes(1));
        Assert.True(_notices.TryAdd("job", new QueuePlace(1, _start)));
    }

    [Fact]
    public void TryAdd_NearlyTheSamePlace_IsNoNews()
    {
        Assert.False(_notices.TryAdd("job", new QueuePlace(1, _start.AddSeconds(1))));
        Assert.True(_notices.TryAdd("job", new QueuePlace(1, _start.AddSeconds(5))));
        Assert.True(_notices.TryAdd("job", new QueuePlace(0, _start.AddSeconds(5))));
        Assert.True(_notices.TryAdd("other", new QueuePlace(1, _start)));
    }

    [Fact]
    public void TryAdd_SamePlaceAfterAWhile_IsToldAgain()
    {
        _time.Advance(TimeSpan.FromSeconds(61));

        Assert.True(_notices.TryAdd("job", new QueuePlace(1, _start)));
    }

    [Fact]
    public void Forget_JobThatWaitsAgain_IsToldItsPlace()
    {
        _notices.Forget("job");

        Assert.True(_notices.TryAdd("job", new QueuePlace(1, _start)));
    }
}
