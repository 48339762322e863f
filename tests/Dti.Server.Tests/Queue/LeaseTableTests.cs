using Dti.Server.Jobs.Grains;
using Microsoft.Extensions.Time.Testing;

namespace Dti.Server.Tests.Queue;

public sealed class LeaseTableTests
{
    private static readonly TimeSpan _period = TimeSpan.FromSeconds(5);
    private readonly FakeTimeProvider _time = new();
    private readonly QueueEntry _job = QueueEntries.Entry("job");
    private readonly LeaseTable _leases;

    public LeaseTableTests()
    {
        _leases = new LeaseTable(new DeviceHeartbeats(_time, TimeSpan.FromSeconds(30), _period));
        _leases.Heartbeat("cpu", "one");
        _leases.Grant(_job, "cpu", "one");
    }

    [Fact]
    public void Restore_DeviceThatComesBack_HasItsJobAgain()
    {
        _leases.Suspend(_job);
        Assert.True(_job.IsWaiting);

        Assert.Equal([_job], _leases.Restore("cpu", "one", ["job"], [_job]));
        Assert.Equal(("cpu", "one"), (_job.Device, _job.Incarnation));
    }

    [Fact]
    public void Restore_JobThatAnotherDeviceAcquired_StaysThere()
    {
        _leases.Suspend(_job);
        _leases.Grant(_job, "gpu", "first");

        Assert.Empty(_leases.Restore("cpu", "one", ["job"], [_job]));
        Assert.Equal("gpu", _job.Device);
    }

    [Fact]
    public void Restore_DeviceThatNamesAnotherJob_LeavesItWaiting()
    {
        _leases.Suspend(_job);

        Assert.Empty(_leases.Restore("cpu", "one", ["other"], [_job]));
        Assert.True(_job.IsWaiting);
    }

    [Fact]
    public void Unnamed_JobNotNamedInThreeHeartbeats_IsReturned()
    {
        Assert.Empty(_leases.Unnamed("cpu", "one", [], [_job]));
        Assert.Empty(_leases.Unnamed("cpu", "one", [], [_job]));
        Assert.Equal([_job], _leases.Unnamed("cpu", "one", [], [_job]));
    }

    [Fact]
    public void Unnamed_JobNamedInBetween_IsCountedAnew()
    {
        _leases.Unnamed("cpu", "one", [], [_job]);
        _leases.Unnamed("cpu", "one", [], [_job]);
        _leases.Unnamed("cpu", "one", ["job"], [_job]);

        Assert.Empty(_leases.Unnamed("cpu", "one", [], [_job]));
    }

    [Fact]
    public void Overdue_SilentDevice_IsNotYetLost()
    {
        for (var at = TimeSpan.Zero; at <= TimeSpan.FromSeconds(30); at += _period)
        {
            _leases.Tick();
            Assert.Empty(_leases.Overdue([_job]));
            _time.Advance(_period);
        }

        _leases.Tick();
        Assert.Equal([_job], _leases.Overdue([_job]));
        Assert.Empty(_leases.Lost([_job]));
    }

    [Fact]
    public void Lost_DeviceOfAnotherIncarnation_HasLostItsJobsAndTheSuspendedOnes()
    {
        var silent = QueueEntries.Entry("silent");
        _leases.Grant(silent, "cpu", "one");
        _leases.Suspend(silent);

        _leases.Heartbeat("cpu", "two");

        Assert.Equal([silent], _leases.RestoreOfEarlier("cpu", "two", [_job, silent]));
        Assert.Equal([_job, silent], _leases.Lost([_job, silent]));
    }

    [Fact]
    public void Revoke_SuspendedJob_IsNotRestored()
    {
        _leases.Suspend(_job);
        _leases.Revoke(_job);

        Assert.Empty(_leases.Restore("cpu", "one", ["job"], [_job]));
    }
}
