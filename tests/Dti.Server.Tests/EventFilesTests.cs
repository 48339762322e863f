using Dti.Engine.Runtime.Files;
using Dti.Server.Jobs.Storage;
using Dti.V1;

namespace Dti.Server.Tests;

public sealed class EventFilesTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-events-");

    private EventFiles Files => new(_folder.FullName, PhysicalFileStore.Instance);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public void Read_WhileItIsWritten_GivesEachEventFromItsNumberOn()
    {
        using var writer = Files.OpenWriter(0);
        for (var step = 1; step <= 5; step++)
        {
            writer.Append(step, Step(step));
            Assert.Equal(Enumerable.Range(1, step), Files.Read(0).Select(happened => happened.Step));
        }

        Assert.Equal([4, 5], Files.Read(3).Select(happened => happened.Step));
        Assert.Equal(Step(5), TrainResponse.Parser.ParseFrom(Files.Read(4).Single().Message));
        Assert.Empty(Files.Read(5));
    }

    [Theory]
    [InlineData(0, new[] { 1, 2, 3, 4 })]
    [InlineData(1, new[] { 2, 3, 4 })]
    [InlineData(2, new[] { 3, 4 })]
    [InlineData(3, new[] { 4 })]
    [InlineData(4, new int[0])]
    public void Read_LogOfTwoAttempts_GivesWhatCountsFromANumberOn(int from, int[] steps)
    {
        using (var first = Files.OpenWriter(1))
        {
            Array.ForEach([1, 2], step => first.Append(step, Step(step)));
            using var second = Files.OpenWriter(2);
            first.Append(9, Step(9)); // it has lost the job
            Array.ForEach([3, 4], step => second.Append(step, Step(step)));
        }

        Assert.Equal(steps, Files.Read(from).Select(happened => happened.Step));
    }

    [Fact]
    public void Read_FileCutAtAnyByte_GivesTheWholeEventsBeforeTheCut()
    {
        using (var writer = Files.OpenWriter(0))
        {
            for (var step = 1; step <= 3; step++)
            {
                writer.Append(step, Step(step));
            }
        }

        var path = Directory.GetFiles(_folder.FullName).Single();
        var whole = File.ReadAllBytes(path);
        var each = (whole.Length - sizeof(long)) / 3;
        for (var length = 0; length <= whole.Length; length++)
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Equal(Math.Max(0, length - sizeof(long)) / each, Files.Read(0).Count());
        }
    }

    [Fact]
    public void OpenWriter_AfterAKill_GoesOnWhereTheWholeEventsEnd()
    {
        using (var writer = Files.OpenWriter(1))
        {
            writer.Append(1, Step(1));
            writer.Append(2, Step(2));
        }

        var path = Directory.GetFiles(_folder.FullName).Single();
        File.WriteAllBytes(path, File.ReadAllBytes(path)[..^1]);
        using (var writer = Files.OpenWriter(2))
        {
            Assert.Equal(1, writer.Next);
            writer.Append(2, Step(2));
        }

        Assert.Equal([1, 2], Files.Read(0).Select(happened => happened.Step));
    }

    [Fact]
    public void Append_FromAnAttemptThatHasLostTheJob_DoesNotCount()
    {
        using var old = Files.OpenWriter(1);
        old.Append(1, Step(1));
        using var current = Files.OpenWriter(2);
        old.Append(7, Step(7));
        current.Append(2, Step(2));
        old.Append(8, Step(8));

        Assert.Equal([1, 2], Files.Read(0).Select(happened => happened.Step));
        Assert.False(Files.IsNewest(1));
        Assert.True(Files.IsNewest(2));
    }

    private static TrainResponse Step(int step) =>
        new()
        {
            Progress = new TrainProgress
            {
                Step = step,
                TotalSteps = 9,
                Loss = 0.5,
            },
        };
}
