using Dti.Engine.Imaging;
using static TorchSharp.torch;

namespace Dti.Engine.Tests.Imaging;

public class RgbImageTests
{
    private static readonly RgbImage _six = new(3, 2, [.. Enumerable.Range(0, 18).Select(value => (byte)value)]);

    [Fact]
    public void ToTensor_AllLevels_AreRoundedOnceFromDouble()
    {
        using var values = new RgbImage(
            256,
            1,
            [.. Enumerable.Range(0, 256).SelectMany(level => Enumerable.Repeat((byte)level, 3))]
        ).ToTensor();

        Assert.Equal([3, 1, 256], values.shape);
        Assert.Equal(
            Enumerable.Range(0, 256).Select(level => (float)((level / 127.5) - 1)),
            values[1, 0].data<float>().ToArray()
        );
    }

    [Fact]
    public void ToTensor_RowsAndChannels_AreWhereTheyBelong()
    {
        using var values = _six.ToTensor();

        // Row 1, column 2, blue is the last byte.
        Assert.Equal((float)((17 / 127.5) - 1), values[2, 1, 2].item<float>());
        Assert.Equal((float)((9 / 127.5) - 1), values[0, 1, 0].item<float>());
    }

    [Fact]
    public void FromTensor_HalfLevels_RoundToEven()
    {
        using var values = tensor([0.5f / 255, 1.5f / 255, 2.5f / 255], [3, 1, 1]);

        Assert.Equal<byte>([0, 2, 2], RgbImage.FromTensor(values).Pixels.ToArray());
    }

    [Fact]
    public void FromTensor_OutsideTheRange_IsClamped()
    {
        using var values = tensor([-0.1f, 1.1f, 1f], [3, 1, 1]);

        Assert.Equal<byte>([0, 255, 255], RgbImage.FromTensor(values).Pixels.ToArray());
    }

    [Fact]
    public void FromTensor_OfToTensor_GivesThePictureBack()
    {
        using var values = _six.ToTensor();
        using var unit = values.add(1).div(2);

        var back = RgbImage.FromTensor(unit);

        Assert.Equal((3, 2), (back.Width, back.Height));
        Assert.Equal(_six.Pixels.ToArray(), back.Pixels.ToArray());
    }

    [Fact]
    public void FromTensor_BatchOfPictures_Throws()
    {
        using var batch = zeros(1, 3, 2, 2);

        Assert.Throws<ArgumentException>(() => RgbImage.FromTensor(batch));
    }

    [Fact]
    public void Crop_Inside_CopiesTheRectangle() =>
        Assert.Equal<byte>([3, 4, 5, 12, 13, 14], _six.Crop(0, 1, 2, 1).Pixels.ToArray());

    [Theory]
    [InlineData(1, 0, 2, 1)]
    [InlineData(0, 3, 1, 1)]
    [InlineData(-1, 0, 1, 1)]
    [InlineData(0, 0, 0, 1)]
    [InlineData(int.MaxValue, 0, 1, 1)]
    public void Crop_Outside_Throws(int top, int left, int height, int width) =>
        Assert.Throws<ArgumentOutOfRangeException>(() => _six.Crop(top, left, height, width));

    [Fact]
    public void FlipHorizontal_Rows_AreMirroredByPixel() =>
        Assert.Equal<byte>(
            [6, 7, 8, 3, 4, 5, 0, 1, 2, 15, 16, 17, 12, 13, 14, 9, 10, 11],
            _six.FlipHorizontal().Pixels.ToArray()
        );

    [Fact]
    public void Constructor_WrongLength_Throws() =>
        Assert.Throws<ArgumentException>(() => new RgbImage(2, 2, new byte[11]));
}
