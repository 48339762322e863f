using Dti.Server.Configuration;
using Dti.Server.Jobs.Grains;

namespace Dti.Server.Tests.Queue;

public sealed class JobHistoryTests
{
    private static readonly DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly JobHistory _history = new(
        new DtiServerOptions
        {
            ConceptFolder = "",
            JobHistory = 2,
            JobHistoryAge = TimeSpan.FromDays(1),
        }
    );

    [Fact]
    public void Expired_MoreThanAreRemembered_AreTheOldest() =>
        Assert.Equal(["a"], Expired(Ended("a", hours: 3), Ended("b", hours: 2), Ended("c", hours: 1)));

    [Fact]
    public void Expired_OlderThanAreRemembered_AreForgotten() =>
        Assert.Equal(["a"], Expired(Ended("a", hours: 25), Ended("b", hours: 23)));

    [Fact]
    public void Expired_JobsThatAreNotOver_AreKept() =>
        Assert.Empty(Expired(QueueEntries.Entry("a"), QueueEntries.Entry("b"), QueueEntries.Entry("c")));

    private IEnumerable<string> Expired(params QueueEntry[] entries) =>
        _history.Expired(entries, _now).Select(entry => entry.Ticket.JobId);

    private static QueueEntry Ended(string jobId, int hours)
    {
        var entry = QueueEntries.Entry(jobId);
        entry.Ended = _now.AddHours(-hours);
        return entry;
    }
}
