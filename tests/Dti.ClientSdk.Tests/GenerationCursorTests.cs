using Dti.ClientSdk.Internal;

namespace Dti.ClientSdk.Tests;

public class GenerationCursorTests
{
    private static readonly GenerationSettings _settings = new() { Seed = 7, Model = "mini" };

    [Fact]
    public void Take_JobIsReplayed_GivesEachEventOnce()
    {
        var cursor = new GenerationCursor();
        GenerationUpdate[] before =
        [
            new GenerationAccepted("job", _settings),
            new GenerationQueued(1),
            Step(1),
            Image(0),
        ];
        GenerationUpdate[] after = [Step(2), Image(1), new GenerationResult(2, default)];

        var seen = before.Concat(before).Concat(after).Select(cursor.Take).OfType<GenerationUpdate>().ToList();

        Assert.Equal([.. before, .. after], seen);
        Assert.True(cursor.Finished);
    }

    [Fact]
    public void Take_RequestIsSentAgain_TellsTheNewJobWithTheFirstSettings()
    {
        var cursor = new GenerationCursor();
        cursor.Take(new GenerationAccepted("first", _settings));

        var again = cursor.Take(new GenerationAccepted("second", _settings with { Model = "other" }));

        Assert.Equal(new GenerationAccepted("second", _settings), again);
        Assert.Equal(("second", _settings), (cursor.JobId, cursor.Settings));
    }

    [Fact]
    public void Take_InterpolationIsSentAgain_TellsTheNewJob()
    {
        var cursor = new GenerationCursor();
        var first = new InterpolationAccepted("first", "a", "b", 3, Easing.Linear, [], _settings);
        cursor.Take(first);

        Assert.Equal(first with { JobId = "second" }, cursor.Take(first with { JobId = "second" }));
    }

    private static SamplingProgress Step(int step) => new(step, 2, null);

    private static GeneratedPicture Image(int index) =>
        new(new Picture(default, "image/png", 64, 64, index, "a photo", 7, null));
}
