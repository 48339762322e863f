using Dti.Server.Jobs.Grains;
using Microsoft.Extensions.Time.Testing;

namespace Dti.Server.Tests.Queue;

public sealed class RetryDelaysTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly RetryDelays _delays;

    public RetryDelaysTests() =>
        _delays = new RetryDelays(_time, TimeSpan.FromSeconds(5), longest: TimeSpan.FromSeconds(15));

    [Fact]
    public void Extend_EachFailure_DoublesTheDelayUpToTheLongest()
    {
        foreach (var seconds in (int[])[5, 10, 15, 15])
        {
            _delays.Extend("job");
            _time.Advance(TimeSpan.FromSeconds(seconds - 1));
            Assert.False(_delays.IsDue("job"));
            _time.Advance(TimeSpan.FromSeconds(1));
            Assert.True(_delays.IsDue("job"));
        }
    }

    [Fact]
    public void Clear_DelayedJob_IsDueAndBeginsWithTheShortest()
    {
        _delays.Extend("job");
        _delays.Extend("job");
        _delays.Clear("job");
        Assert.True(_delays.IsDue("job"));

        _delays.Extend("job");
        Assert.True(_delays.IsDue("other"));
        _time.Advance(TimeSpan.FromSeconds(5));
        Assert.True(_delays.IsDue("job"));
    }
}
