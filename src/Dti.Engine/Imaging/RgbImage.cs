using static TorchSharp.torch;

namespace Dti.Engine.Imaging;

/// <summary>An image in memory: 8 bits each of red, green and blue, row by row from the top left.</summary>
public sealed class RgbImage
{
    // Value of each level in a training tensor. The reference computes in double and rounds to float once.
    private static readonly float[] _normalized =
    [
        .. Enumerable.Range(0, 256).Select(level => (float)((level / 127.5) - 1)),
    ];

    /// <summary>Wraps pixels; the array is not copied.</summary>
    /// <param name="width">Pixels in a row, 1 or more.</param>
    /// <param name="height">Rows, 1 or more.</param>
    /// <param name="pixels">(height, width, 3) bytes.</param>
    /// <exception cref="ArgumentException">The array's length is not 3 × width × height.</exception>
    public RgbImage(int width, int height, byte[] pixels)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentNullException.ThrowIfNull(pixels);
        if (pixels.Length != 3L * width * height)
        {
            throw new ArgumentException(
                $"{width} × {height} pixels take {3L * width * height} bytes, not {pixels.Length}.",
                nameof(pixels)
            );
        }

        Width = width;
        Height = height;
        Pixels = pixels;
    }

    /// <summary>Pixels in a row.</summary>
    public int Width { get; }

    /// <summary>Rows.</summary>
    public int Height { get; }

    /// <summary>(Height, Width, 3) bytes.</summary>
    public ReadOnlyMemory<byte> Pixels { get; }

    /// <summary>Copies a rectangle.</summary>
    /// <param name="top">First row.</param>
    /// <param name="left">First column.</param>
    /// <param name="height">Rows.</param>
    /// <param name="width">Columns.</param>
    /// <exception cref="ArgumentOutOfRangeException">The rectangle reaches outside the image, or is
    /// empty.</exception>
    public RgbImage Crop(int top, int left, int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(top);
        ArgumentOutOfRangeException.ThrowIfNegative(left);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(height, Height - top);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(width, Width - left);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(height);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(width);

        var pixels = new byte[3 * width * height];
        for (var y = 0; y < height; y++)
        {
            Pixels.Span.Slice(3 * (((top + y) * Width) + left), 3 * width).CopyTo(pixels.AsSpan(3 * width * y));
        }

        return new RgbImage(width, height, pixels);
    }

    /// <summary>The image mirrored left to right.</summary>
    public RgbImage FlipHorizontal()
    {
        var source = Pixels.Span;
        var pixels = new byte[source.Length];
        for (var y = 0; y < Height; y++)
        {
            for (var x = 0; x < Width; x++)
            {
                source.Slice(3 * ((y * Width) + x), 3).CopyTo(pixels.AsSpan(3 * ((y * Width) + Width - 1 - x)));
            }
        }

        return new RgbImage(Width, Height, pixels);
    }

    /// <summary>
    /// The image as the autoencoder takes it: (3, H, W) float32 on the CPU, u8 / 127.5 − 1, in [−1, 1].
    /// </summary>
    public Tensor ToTensor()
    {
        var source = Pixels.Span;
        var area = Width * Height;
        var values = new float[source.Length];
        for (var i = 0; i < area; i++)
        {
            values[i] = _normalized[source[3 * i]];
            values[area + i] = _normalized[source[(3 * i) + 1]];
            values[(2 * area) + i] = _normalized[source[(3 * i) + 2]];
        }

        return tensor(values, [3, Height, Width]);
    }

    /// <summary>
    /// An image from values in [0, 1], as diffusers does it: 255·x, rounded half to even; outside values are clamped.
    /// </summary>
    /// <param name="image">(3, H, W), any floating type and device.</param>
    /// <exception cref="ArgumentException">Another shape.</exception>
    public static RgbImage FromTensor(Tensor image)
    {
        ArgumentNullException.ThrowIfNull(image);
        if (image.dim() != 3 || image.shape[0] != 3)
        {
            throw new ArgumentException(
                $"An image has shape (3, H, W), not ({string.Join(", ", image.shape)}).",
                nameof(image)
            );
        }

        using var scope = NewDisposeScope();
        var levels = image.detach().to(float32).clamp(0, 1).mul(255).round().to(uint8); // (3, H, W)
        var pixels = levels.permute(1, 2, 0).contiguous().cpu().data<byte>().ToArray(); // (H, W, 3)
        return new RgbImage((int)image.shape[2], (int)image.shape[1], pixels);
    }
}
