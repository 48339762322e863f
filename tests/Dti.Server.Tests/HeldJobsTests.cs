using Dti.Server.Jobs;

namespace Dti.Server.Tests;

public sealed class HeldJobsTests
{
    private readonly HeldJobs _jobs = new();

    /// <summary>A heartbeat that left it out would let the queue give the job to another device.</summary>
    [Fact]
    public void Steps_JobThatIsAcquiredAndNotStarted_NamesItAtNoStep()
    {
        using (_jobs.Acquire("job"))
        {
            Assert.Equal(new Dictionary<string, int> { ["job"] = 0 }, _jobs.Steps());
        }

        Assert.Empty(_jobs.Steps());
    }

    [Fact]
    public void Find_JobWithoutAttempt_IsNone()
    {
        using var acquired = _jobs.Acquire("job");

        Assert.Null(_jobs.Find("job"));
        Assert.Empty(_jobs.Attempts);
    }
}
