using Dti.Server.Jobs.Storage;
using Dti.Server.ObjectStorage;
using Dti.V1;
using Google.Protobuf;

namespace Dti.Server.Tests.Clusters;

/// <summary>The log of a job in the storage of a cluster.</summary>
public sealed class EventObjectsTests : IDisposable
{
    private const int Large = 200_000; // bytes of an image; two of them fill an object
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("dti-events-");

    private FolderObjectStore Store => new(_folder.FullName);

    private EventObjects Log => new("jobs/1/", Store);

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task Read_WhileItIsWritten_GivesWhatIsStored()
    {
        using var writer = Log.OpenWriter(1, first: 0);
        writer.Append(1, Step(1));
        Assert.Empty(Log.Read(0));
        for (var step = 2; step <= 5; step++)
        {
            writer.Append(step, Step(step));
            await writer.StoreAsync();
            Assert.Equal(Enumerable.Range(1, step), Log.Read(0).Select(happened => happened.Step));
        }

        Assert.Equal([4, 5], Log.Read(3).Select(happened => happened.Step));
        Assert.Empty(Log.Read(5));
        Assert.Equal(Step(5), TrainResponse.Parser.ParseFrom(Log.Read(4).Single().Message));
    }

    [Fact]
    public async Task Read_LogOfSeveralObjects_GivesEachEventFromItsNumberOn()
    {
        using var writer = Log.OpenWriter(1, first: 0);
        for (var step = 1; step <= 7; step++)
        {
            writer.Append(step, Step(step, Large));
            if (step % 3 == 0)
            {
                await writer.StoreAsync();
            }
        }

        await writer.StoreAsync();

        Assert.InRange(_folder.GetFiles("*", SearchOption.AllDirectories).Length, 3, 7);
        for (var from = 0; from <= 7; from++)
        {
            Assert.Equal(Enumerable.Range(from + 1, 7 - from), Log.Read(from).Select(happened => happened.Step));
        }
    }

    [Theory]
    [InlineData(0, new[] { 1, 2, 3, 4 })]
    [InlineData(1, new[] { 2, 3, 4 })]
    [InlineData(2, new[] { 3, 4 })]
    [InlineData(4, new int[0])]
    public async Task Read_LogOfTwoAttempts_GivesWhatCountsFromANumberOn(int from, int[] steps)
    {
        using var first = Log.OpenWriter(1, first: 0);
        Array.ForEach([1, 2], step => first.Append(step, Step(step, Large)));
        await first.StoreAsync();
        Assert.True(Log.IsNewest(1));
        using var second = Log.OpenWriter(2, first: 2);
        Array.ForEach([8, 9], step => first.Append(step, Step(step, Large))); // it has lost the job
        await first.StoreAsync();
        Array.ForEach([3, 4], step => second.Append(step, Step(step)));
        await second.StoreAsync();

        Assert.Equal(steps, Log.Read(from).Select(happened => happened.Step));
        Assert.False(Log.IsNewest(1));
        Assert.True(Log.IsNewest(2));
    }

    [Fact]
    public async Task Store_StorageWasAway_StoresAllThatWaits()
    {
        using var writer = Log.OpenWriter(1, first: 0);
        var (mounted, unmounted) = (_folder.FullName, _folder.FullName + "-unmounted");
        Directory.Move(mounted, unmounted);
        for (var step = 1; step <= 3; step++)
        {
            writer.Append(step, Step(step));
            await Assert.ThrowsAsync<Engine.DtiException>(writer.StoreAsync);
        }

        Directory.Move(unmounted, mounted);
        await writer.StoreAsync();

        Assert.Equal([1, 2, 3], Log.Read(0).Select(happened => happened.Step));
    }

    private static TrainResponse Step(int step, int pictureBytes = 0) =>
        pictureBytes == 0
            ? new() { Progress = new TrainProgress { Step = step } }
            : new()
            {
                Preview = new TrainPreview
                {
                    Step = step,
                    Picture = new Picture { Data = ByteString.CopyFrom(new byte[pictureBytes]) },
                },
            };
}
