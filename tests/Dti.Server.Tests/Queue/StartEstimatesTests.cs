using Dti.Server.Jobs.Grains;
using Dti.V1;

namespace Dti.Server.Tests.Queue;

public sealed class StartEstimatesTests
{
    private static readonly DateTimeOffset _now = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private readonly StartEstimates _estimates = new();
    private readonly Dictionary<int, double> _stepSeconds = new() { [(int)JobKind.Train] = 2 };

    [Fact]
    public void Places_NothingRuns_FirstStartsNowAndTheNextAfterIt()
    {
        var places = Places([], [QueueEntries.Entry("a", steps: 30), QueueEntries.Entry("b")]);

        Assert.Equal([new QueuePlace(0, _now), new QueuePlace(1, _now.AddSeconds(60))], places);
    }

    [Fact]
    public void Places_RunningJob_CountsItsStepsThatAreLeft()
    {
        _estimates.Progress(new Dictionary<string, int> { ["running"] = 25 });

        var places = Places([QueueEntries.Entry("running", steps: 30)], [QueueEntries.Entry("a")]);

        Assert.Equal([new QueuePlace(1, _now.AddSeconds(10))], places);
    }

    [Fact]
    public void Places_KindThatNeverRan_HasNoEstimateFromThereOn()
    {
        var places = Places([], [QueueEntries.Entry("a", JobKind.Generate), QueueEntries.Entry("b")]);

        Assert.Equal([new QueuePlace(0, _now), new QueuePlace(1, null)], places);
    }

    [Fact]
    public void Places_StartInMoreThanAYear_IsNotTold()
    {
        var places = Places([QueueEntries.Entry("running", steps: int.MaxValue)], [QueueEntries.Entry("a")]);

        Assert.Equal([new QueuePlace(1, null)], places);
    }

    [Fact]
    public void Learn_SecondJobOfAKind_IsAveragedWithTheFirst()
    {
        StartEstimates.Learn(_stepSeconds, JobKind.Train, 4);
        StartEstimates.Learn(_stepSeconds, JobKind.Generate, 1);

        Assert.Equal((3, 1), (_stepSeconds[(int)JobKind.Train], _stepSeconds[(int)JobKind.Generate]));
    }

    private QueuePlace[] Places(QueueEntry[] running, QueueEntry[] waiting) =>
        [.. _estimates.Places(running, waiting, _stepSeconds, _now).Select(told => told.Place)];
}
