using Dti.Engine.Runtime.Devices;
using Dti.Engine.Tests.Generation;
using Dti.Engine.Tests.Models;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Runtime;

[Collection(nameof(WholeProcess))] // threads are counted for the whole process
public class ComputeThreadsTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    [Fact]
    public void Fit_FewerCoresThanThreads_LowersThemForThreadsToComeToo() => Try(3, () =>
        {
            ComputeThreads.Fit(2, asked: null);
            Assert.Equal(2, get_num_threads());
            Assert.Equal(2, OnAThread(get_num_threads));
        });

    [Fact]
    public void Fit_MoreCoresThanThreads_RaisesNothing() => Try(3, () =>
        {
            ComputeThreads.Fit(4, asked: null);
            Assert.Equal(3, get_num_threads());
        });

    [Fact]
    public void Fit_ThreadsAskedFor_StayAsTheyAre() => Try(3, () =>
        {
            ComputeThreads.Fit(1, asked: "3");
            Assert.Equal(3, get_num_threads());
        });

    /// <summary>The suite gives each operation one thread. People's machines give it all cores.</summary>
    [Fact]
    public void Generation_SeveralThreadsForEachOperation_DrawsThePipelinesPictures() =>
        Try(3, () => new PipelineParityTests(models).Run_RecordedSeed_DrawsThePipelinesPictures("tiny-sd15", "base"));

    private static void Try(int threads, Action test)
    {
        var before = get_num_threads();
        set_num_threads(threads);
        try
        {
            test();
        }
        finally
        {
            set_num_threads(before);
        }
    }

    private static int OnAThread(Func<int> ask)
    {
        var answer = 0;
        var thread = new Thread(() => answer = ask());
        thread.Start();
        thread.Join();
        return answer;
    }
}
