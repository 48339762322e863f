using Dti.Engine.Imaging;
using Dti.Engine.Runtime;
using Dti.Engine.Tests.Imaging;
using Dti.Engine.Training;

namespace Dti.Engine.Tests.Training;

public class TrainingSetTests
{
    public static IEnumerable<TheoryDataRow<string>> Cases =>
        PreprocessFixture.Cases().Select(name => new TheoryDataRow<string>(name));

    [Theory]
    [MemberData(nameof(Cases))]
    public void Pixels_ReferenceCrop_EqualTheReferencesExactly(string name)
    {
        var set = TrainingSet.Load(
            [new Photo(name, PreprocessFixture.Photo(name))],
            PreprocessFixture.Size(name),
            ImageLimits.Default
        );
        var (top, left) = PreprocessFixture.Pair(name, "crop_top_left");

        using var pixels = set.Pixels(new PhotoCrop(0, top, left, Flip: false));

        Assert.Equal([3, set.Resolution, set.Resolution], pixels.shape);
        Assert.Equal(PreprocessFixture.PixelValues(name), pixels.data<float>().ToArray());
        Assert.Equal(PreprocessFixture.Pair(name, "resized_hw"), set.ResizedSize(0));
        Assert.Equal(PreprocessFixture.Pair(name, "original_size_hw"), set.OriginalSize(0));
        if (PreprocessFixture.CenterCrop(name))
        {
            Assert.Equal(
                new PhotoCrop(0, top, left, false),
                set.SampleCrop(0, centerCrop: true, randomFlip: false, new Pcg32(0))
            );
        }
    }

    [Fact]
    public void SampleCrop_SameSeed_GivesTheSameCrops()
    {
        var set = Load(Pictures.Png(40, 90), Pictures.Jpeg(70, 50));

        Assert.Equal(Crops(set, new Pcg32(3)), Crops(set, new Pcg32(3)));
        Assert.NotEqual(Crops(set, new Pcg32(3)), Crops(set, new Pcg32(4)));
    }

    [Fact]
    public void SampleCrop_Random_ReachesBothEndsAndBothSides()
    {
        var set = Load(Pictures.Png(32, 35));
        var random = new Pcg32(1);

        var crops = Enumerable
            .Range(0, 200)
            .Select(_ => set.SampleCrop(0, centerCrop: false, randomFlip: true, random))
            .ToHashSet();

        Assert.Equal([0, 1, 2, 3], crops.Select(crop => crop.Top).Distinct().Order());
        Assert.All(crops, crop => Assert.Equal(0, crop.Left));
        Assert.Equal(8, crops.Count);
    }

    [Fact]
    public void SampleCrop_CenterWithoutFlip_DrawsNothing()
    {
        var random = new Pcg32(1);

        Load(Pictures.Png(32, 35)).SampleCrop(0, centerCrop: true, randomFlip: false, random);

        Assert.Equal(new Pcg32(1).Save(), random.Save());
    }

    [Fact]
    public void Pixels_Flipped_AreMirrored()
    {
        var set = Load(Pictures.Png(32, 40));

        using var plain = set.Pixels(new PhotoCrop(0, 5, 0, Flip: false));
        using var flipped = set.Pixels(new PhotoCrop(0, 5, 0, Flip: true));
        using var mirrored = plain.flip(2);

        Assert.NotEqual(plain, flipped);
        Assert.Equal(mirrored.data<float>().ToArray(), flipped.data<float>().ToArray());
    }

    [Fact]
    public void Pixels_CropOutsideThePhoto_Throws() =>
        Assert.Throws<ArgumentOutOfRangeException>(() =>
            Load(Pictures.Png(32, 40)).Pixels(new PhotoCrop(0, 9, 0, false))
        );

    [Fact]
    public void Sha256_OfAFile_IsItsPublishedHash()
    {
        var file = Pictures.Bmp();

        Assert.Equal(
            Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(file)),
            Load(file).Sha256(0)
        );
    }

    [Theory]
    [InlineData(0)]
    [InlineData(51)]
    [InlineData(200)]
    public void Load_WrongNumberOfPhotos_IsRefused(int count)
    {
        var photos = Enumerable.Repeat(new Photo("same.bmp", Pictures.Bmp()), count).ToArray();

        var refusal = Assert.Throws<ValidationException>(() => TrainingSet.Load(photos, 32, ImageLimits.Default));

        Assert.Equal("photos", Assert.Single(refusal.Violations).Field);
        Assert.Contains("send 1 to 50", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FiftyPhotos_Works() => Assert.Equal(50, Load([.. Enumerable.Repeat(Pictures.Bmp(), 50)]).Count);

    [Fact]
    public void Load_SeveralBadPhotos_NamesEachAtOnce()
    {
        Photo[] photos =
        [
            new("good.png", Pictures.Png(40, 40)),
            new("notes.png", "no picture at all"u8.ToArray()),
            new("half.jpg", Pictures.Jpeg(60, 60)[..500]),
            new("bomb.png", Pictures.PngHeader(50_000, 50_000)),
            new("strip.png", Pictures.Png(90, 10)),
        ];

        var refusal = Assert.Throws<ValidationException>(() => TrainingSet.Load(photos, 32, ImageLimits.Default));

        Assert.Equal(ErrorKind.InvalidArgument, refusal.Kind);
        Assert.Equal(
            ["photos[1]", "photos[2]", "photos[3]", "photos[4]"],
            refusal.Violations.Select(violation => violation.Field)
        );
        Assert.All(refusal.Violations.Zip(photos.Skip(1)), pair =>
            Assert.Contains(pair.Second.Name, pair.First.Description, StringComparison.Ordinal)
        );
    }

    private static TrainingSet Load(params byte[][] files) =>
        TrainingSet.Load([.. files.Select((file, i) => new Photo($"photo {i}", file))], 32, ImageLimits.Default);

    private static PhotoCrop[] Crops(TrainingSet set, Pcg32 random) =>
        [
            .. Enumerable
                .Range(0, 20)
                .Select(i => set.SampleCrop(i % set.Count, centerCrop: false, randomFlip: true, random)),
        ];
}
