using Dti.ClientSdk.Internal;
using static Dti.ClientSdk.Tests.Updates;

namespace Dti.ClientSdk.Tests;

public class TrainingCursorTests
{
    [Fact]
    public void IsNew_ReplayFromLastStep_LeavesOutWhatWasSeen()
    {
        var cursor = new TrainingCursor();
        TrainingUpdate[] before =
        [
            Accepted,
            new TrainingQueued(0),
            new TrainingWarning("A", "a"),
            new TrainingCheck(0, 1, 0),
            Step(1),
            Step(2),
            new TrainingCheck(2, 1, 0),
            Preview(2),
        ];
        Assert.All(before, update => Assert.True(cursor.IsNew(update)));
        Assert.Equal(2, cursor.Step);

        TrainingUpdate[] replay =
        [
            Accepted,
            new TrainingQueued(0),
            new TrainingWarning("A", "a"),
            new TrainingCheck(0, 1, 0),
            Step(2),
            new TrainingCheck(2, 1, 0),
            Preview(2, 0),
            Preview(2, 1),
            Step(3),
            Result,
        ];

        Assert.Equal([Preview(2, 1), Step(3), Result], replay.Where(cursor.IsNew));
        Assert.True(cursor.Finished);
    }

    [Fact]
    public void IsNew_CutBetweenStepAndItsPreview_KeepsThePreview()
    {
        var cursor = new TrainingCursor();
        cursor.IsNew(Step(2));

        Assert.Equal(2, cursor.Step);
        Assert.False(cursor.IsNew(Step(2)));
        Assert.True(cursor.IsNew(Preview(2)));
    }

    [Fact]
    public void IsNew_PlaceInQueue_OnlyWhenItImproves()
    {
        var cursor = new TrainingCursor();

        Assert.Equal(
            [true, true, false, false, true],
            new[] { 3, 2, 3, 2, 1 }.Select(position => cursor.IsNew(new TrainingQueued(position)))
        );
        cursor.IsNew(Step(1));
        Assert.False(cursor.IsNew(new TrainingQueued(0)));
    }
}
