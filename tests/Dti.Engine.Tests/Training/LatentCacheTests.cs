using Dti.Engine.Runtime;
using Dti.Engine.Tests.Models;
using Dti.Engine.Tests.Runtime;
using Dti.Engine.Training;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Training;

public class LatentCacheTests(ModelFixture models) : IClassFixture<ModelFixture>
{
    private const long OneCrop = 2 * 4 * 8 * 8 * sizeof(float);

    [Fact]
    public void Get_CentreCrops_RunsTheAutoencoderOncePerPhoto()
    {
        using var scope = NewDisposeScope();
        var photos = NoisePhotos.Load();
        using var cache = new LatentCache(models.Model("tiny-sd15"), photos);
        var random = new Pcg32(1);
        for (var i = 0; i < 30; i++)
        {
            cache.Get(photos.SampleCrop(i % photos.Count, centerCrop: true, randomFlip: false, random));
        }

        Assert.Equal((photos.Count, 0), (cache.Misses, cache.OnDisk));
    }

    [Fact]
    public void Get_MoreThanFitsIntoMemory_GivesTheSameFromDisk()
    {
        using var scope = NewDisposeScope();
        var photos = NoisePhotos.Load();
        PhotoCrop[] crops = [.. Enumerable.Range(0, 9).Select(i => new PhotoCrop(i % 3, 0, i, Flip: i % 2 == 0))];
        using var large = new LatentCache(models.Model("tiny-sd15"), photos);
        using var small = new LatentCache(models.Model("tiny-sd15"), photos, memoryBytes: 3 * OneCrop);

        foreach (var crop in crops.Concat(crops))
        {
            var (expected, found) = (large.Get(crop), small.Get(crop));
            Assert.Equal(expected.Mean.data<float>().ToArray(), found.Mean.data<float>().ToArray());
            Assert.Equal(expected.LogVar!.data<float>().ToArray(), found.LogVar!.data<float>().ToArray());
        }

        Assert.Equal((9, 6), (small.Misses, small.OnDisk));
    }

    [Fact]
    public void Get_DiskFullToo_ComputesWhatIsLeft()
    {
        using var scope = NewDisposeScope();
        var photos = NoisePhotos.Load();
        PhotoCrop[] crops = [.. Enumerable.Range(0, 4).Select(i => new PhotoCrop(0, 0, i, Flip: false))];
        using var cache = new LatentCache(
            models.Model("tiny-sd15"),
            photos,
            memoryBytes: OneCrop,
            diskBytes: 2 * OneCrop
        );

        foreach (var crop in crops.Concat(crops))
        {
            cache.Get(crop);
        }

        Assert.Equal((5, 2), (cache.Misses, cache.OnDisk)); // the fourth, twice
    }

    [Fact]
    public void Dispose_LeavesNoTensor()
    {
        var model = models.Model("tiny-sd15");
        var before = LiveTensors.OfThisThread;
        using (NewDisposeScope())
        {
            var cache = new LatentCache(model, NoisePhotos.Load(), memoryBytes: OneCrop);
            for (var i = 0; i < 3; i++)
            {
                cache.Get(new PhotoCrop(0, 0, i, Flip: false));
            }

            cache.Dispose();
        }

        Assert.Equal(before, LiveTensors.OfThisThread);
    }
}
