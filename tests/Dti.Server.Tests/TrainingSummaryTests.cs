using Dti.Engine.Imaging;
using Dti.Engine.Models.Families;
using Dti.Engine.Training;
using Dti.Server.Jobs;
using Dti.Server.Mapping;
using Dti.Tests;

namespace Dti.Server.Tests;

public class TrainingSummaryTests
{
    [Theory]
    [InlineData(3)]
    [InlineData(16)]
    [InlineData(100)]
    [InlineData(1000)]
    public void Add_ManyPreviews_KeepsAFewThatAreSpreadOverTheRun(int columns)
    {
        var summary = Summary();
        for (var column = 0; column < columns; column++)
        {
            for (var prompt = 0; prompt < 2; prompt++)
            {
                summary.Add(
                    EventMapping
                        .Of(
                            new TrainingPreview(
                                column * 10,
                                prompt,
                                new RgbImage(8, 8, new byte[8 * 8 * 3]),
                                $"prompt {prompt}",
                                1
                            )
                        )
                        .Message
                );
            }
        }

        var steps = summary.PreviewSteps;
        Assert.Equal((0, (columns - 1) * 10), (steps[0], steps[^1]));
        Assert.InRange(steps.Count, Math.Min(columns, 8), 17);
        Assert.Single(steps.Zip(steps.Skip(1), (one, next) => next - one).SkipLast(1).Distinct());
    }

    [Fact]
    public void Draw_ManyPreviews_HasARowForEachPrompt()
    {
        var summary = Summary();
        var without = Height();
        for (var step = 1; step <= 40; step++)
        {
            summary.Add(
                EventMapping.Of(new TrainingStep(step, 40, 0.2, 0.2, 0.4, 1, 0.1, 0.01, 1, TimeSpan.Zero)).Message
            );
            foreach (var prompt in new[] { 0, 1, 2 })
            {
                summary.Add(
                    EventMapping
                        .Of(
                            new TrainingPreview(
                                step,
                                prompt,
                                new RgbImage(8, 8, new byte[8 * 8 * 3]),
                                $"prompt {prompt}",
                                1
                            )
                        )
                        .Message
                );
            }
        }

        Assert.Equal(0, without);
        Assert.True(Height() > 260 + (3 * 100), $"{Height()}");

        int Height() => summary.Render() is { Length: > 0 } picture ? ImageCodec.Decode(picture, "summary").Height : 0;
    }

    internal static TrainingSummary Summary() =>
        new(
            TrainingSettings.Resolve(
                new TrainingOptions { Steps = 40 },
                "x",
                ModelFamilies.BuiltIn.Read(Path.Combine(Fixtures.Root, "tiny-sd15")),
                () => 1
            )
        );
}
