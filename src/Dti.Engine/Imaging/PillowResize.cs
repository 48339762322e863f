namespace Dti.Engine.Imaging;

/// <summary>
/// Kernels to resize with; the numbers are Pillow's, which <c>preprocessor_config.json</c> has under <c>resample</c>.
/// </summary>
internal enum ResizeFilter
{
    /// <summary>The triangle.</summary>
    Bilinear = 2,

    /// <summary>Keys' kernel with a = −½.</summary>
    Bicubic = 3,
}

/// <summary>
/// Pillow's antialiased resizing of 8-bit channels, bit-identical: the reference prepares photos with it. The kernel is
/// widened by the factor of a reduction; rows first, then columns, each pass in fixed point and rounded to 8 bits.
/// </summary>
internal static class PillowResize
{
    private const double A = -0.5;

    // 8 bits are the level's, 2 are room for the kernel's overshoot.
    private const int PrecisionBits = 32 - 8 - 2;

    /// <summary>
    /// Size with the shorter side at <paramref name="size"/>, the longer one rounded down, as torchvision's Resize.
    /// </summary>
    public static (int Height, int Width) ShorterSideTo(int size, int height, int width) =>
        height <= width ? (size, (int)((long)size * width / height)) : ((int)((long)size * height / width), size);

    /// <summary>Resizes to exactly <paramref name="height"/> × <paramref name="width"/>.</summary>
    public static RgbImage Resize(RgbImage image, int height, int width, ResizeFilter filter = ResizeFilter.Bicubic)
    {
        if (width != image.Width)
        {
            image = ResizeRows(image, width, filter);
        }

        return height == image.Height ? image : ResizeColumns(image, height, filter);
    }

    private static RgbImage ResizeRows(RgbImage image, int width, ResizeFilter filter)
    {
        var taps = Taps(image.Width, width, filter);
        var source = image.Pixels.Span;
        var pixels = new byte[3 * width * image.Height];
        for (var y = 0; y < image.Height; y++)
        {
            var row = source.Slice(3 * image.Width * y, 3 * image.Width);
            var target = pixels.AsSpan(3 * width * y, 3 * width);
            for (var x = 0; x < width; x++)
            {
                var (first, weights) = taps[x];
                int red = 1 << (PrecisionBits - 1),
                    green = red,
                    blue = red;
                for (var k = 0; k < weights.Length; k++)
                {
                    var pixel = row.Slice(3 * (first + k), 3);
                    red += pixel[0] * weights[k];
                    green += pixel[1] * weights[k];
                    blue += pixel[2] * weights[k];
                }

                target[3 * x] = Clip(red);
                target[(3 * x) + 1] = Clip(green);
                target[(3 * x) + 2] = Clip(blue);
            }
        }

        return new RgbImage(width, image.Height, pixels);
    }

    private static RgbImage ResizeColumns(RgbImage image, int height, ResizeFilter filter)
    {
        var taps = Taps(image.Height, height, filter);
        var source = image.Pixels.Span;
        var stride = 3 * image.Width;
        var pixels = new byte[stride * height];
        var sums = new int[stride];
        for (var y = 0; y < height; y++)
        {
            var (first, weights) = taps[y];
            Array.Fill(sums, 1 << (PrecisionBits - 1));
            for (var k = 0; k < weights.Length; k++)
            {
                var row = source.Slice(stride * (first + k), stride);
                for (var i = 0; i < stride; i++)
                {
                    sums[i] += row[i] * weights[k];
                }
            }

            for (var i = 0; i < stride; i++)
            {
                pixels[(stride * y) + i] = Clip(sums[i]);
            }
        }

        return new RgbImage(image.Width, height, pixels);
    }

    /// <summary>
    /// For each output position, the first input position it reads and the fixed-point weights from there on.
    /// </summary>
    private static (int First, int[] Weights)[] Taps(int inputSize, int outputSize, ResizeFilter filter)
    {
        var scale = (double)inputSize / outputSize;
        var filterScale = Math.Max(scale, 1);
        var support = (filter == ResizeFilter.Bicubic ? 2 : 1) * filterScale;
        var taps = new (int, int[])[outputSize];
        for (var i = 0; i < outputSize; i++)
        {
            var center = (i + 0.5) * scale;
            var first = Math.Max((int)(center - support + 0.5), 0);
            var end = Math.Min((int)(center + support + 0.5), inputSize);
            var weights = new double[end - first];
            for (var k = 0; k < weights.Length; k++)
            {
                var x = Math.Abs((k + first - center + 0.5) * (1 / filterScale));
                weights[k] = filter == ResizeFilter.Bicubic ? Bicubic(x) : Math.Max(0, 1 - x);
            }

            taps[i] = (first, ToFixedPoint(weights));
        }

        return taps;
    }

    private static int[] ToFixedPoint(double[] weights)
    {
        var sum = 0.0;
        foreach (var weight in weights)
        {
            sum += weight;
        }

        return Array.ConvertAll(weights, weight =>
        {
            var scaled = weight / sum * (1 << PrecisionBits);
            return (int)(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
        });
    }

    private static double Bicubic(double x) =>
        x switch
        {
            < 1 and var t => ((((A + 2) * t) - (A + 3)) * t * t) + 1,
            < 2 and var t => ((((t - 5) * t) + 8) * t - 4) * A,
            _ => 0,
        };

    private static byte Clip(int sum) => (byte)Math.Clamp(sum >> PrecisionBits, 0, 255);
}
