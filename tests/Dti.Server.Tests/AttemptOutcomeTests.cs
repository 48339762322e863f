using Dti.Engine;
using Dti.Server.Errors;
using Dti.Server.Jobs;
using Dti.Server.Jobs.Grains;
using Dti.V1;
using Google.Rpc;

namespace Dti.Server.Tests;

public sealed class AttemptOutcomeTests
{
    private static readonly DtiException _memoryFull = Refusals.ResourceExhausted(
        "No room.",
        Refusals.ModelMemoryFull,
        TimeSpan.FromMinutes(1)
    );

    [Fact]
    public void Of_CancelledByTheCaller_IsOverWithTheReason()
    {
        var outcome = Of(new OperationCanceledException(), isStopRequested: true, isCancelled: true);

        Assert.Equal((AttemptEnd.Cancelled, true), (outcome.End, outcome.IsOver));
        Assert.Equal("JOB_CANCELLED", outcome.Failure!.GetDetail<ErrorInfo>()!.Reason);
    }

    [Fact]
    public void Of_StoppedByTheServer_IsRequeued()
    {
        var outcome = Of(new OperationCanceledException(), isStopRequested: true);

        Assert.Equal((AttemptEnd.Requeued, false), (outcome.End, outcome.IsOver));
    }

    [Fact]
    public void Of_CancellationThatNobodyAskedFor_IsAFailureToBeLookedInto()
    {
        var outcome = Of(new OperationCanceledException());

        Assert.Equal((AttemptEnd.Failed, false), (outcome.End, outcome.IsForeseen));
        Assert.Equal((int)Code.Internal, outcome.Failure!.Code);
    }

    [Fact]
    public void Of_JobOfAnotherProcess_IsLostAndNotOver()
    {
        var outcome = Of(new JobLostException("job"));

        Assert.Equal((AttemptEnd.Lost, false, true), (outcome.End, outcome.IsOver, outcome.IsForeseen));
    }

    [Theory]
    [InlineData(true, true, "RequeuedAlone")]
    [InlineData(true, false, "Failed")]
    [InlineData(false, true, "Failed")]
    public void Of_NoMemoryForTheModel_IsRetriedAloneWhereATrainingIsPaused(
        bool isInteractive,
        bool isDuringTraining,
        string expected
    )
    {
        var kind = isInteractive ? JobKind.Generate : JobKind.Train;

        Assert.Equal(expected, $"{Of(_memoryFull, kind: kind, isDuringTraining: isDuringTraining).End}");
    }

    [Fact]
    public void Of_OtherBoundDuringATraining_IsAFailure() =>
        Assert.Equal(
            AttemptEnd.Failed,
            Of(new DtiException(ErrorKind.ResourceExhausted, "The disk is full."), isDuringTraining: true).End
        );

    [Fact]
    public void Of_UnreadableFile_NamesTheJobsFolder()
    {
        var outcome = Of(new UnauthorizedAccessException("no"));

        Assert.Equal((int)Code.FailedPrecondition, outcome.Failure!.Code);
        Assert.Contains("/jobs/job", outcome.Failure.Message, StringComparison.Ordinal);
    }

    private static AttemptOutcome Of(
        Exception error,
        JobKind kind = JobKind.Generate,
        bool isStopRequested = false,
        bool isCancelled = false,
        bool isDuringTraining = false
    ) =>
        AttemptOutcome.Of(
            error,
            new JobTicket
            {
                JobId = "job",
                Kind = kind,
                Caller = "anna",
            },
            isStopRequested,
            isCancelled,
            isDuringTraining,
            "/jobs/job"
        );
}
