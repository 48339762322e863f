using System.Text.Json;
using Dti.Engine.Configs;
using Dti.Engine.Imaging;
using static TorchSharp.torch;

namespace Dti.Engine.Evaluation;

/// <summary>
/// Images as an image model takes them, by <c>preprocessor_config.json</c> (transformers' CLIP, SigLIP and Bit image
/// processors, as they run on Pillow): resized on 8 bits, cut in the centre, (u8/255 − mean)/std.
/// </summary>
internal sealed class ImagePreprocessor
{
    private const double RescaleFactor = 1.0 / 255;
    private const int MaxSide = 4096;
    private readonly int? _shortestEdge;

    // what images are resized to, or their least size with a shortest edge
    private readonly (int Height, int Width) _size;
    private readonly ResizeFilter _filter;
    private readonly float[][] _values; // of each channel's 256 levels

    private ImagePreprocessor(ComponentConfig config)
    {
        config.Require("do_resize", true);
        config.Require("do_rescale", true);
        config.Require("do_normalize", true);
        if (Math.Abs(config.Double("rescale_factor", RescaleFactor) - RescaleFactor) > 1e-9)
        {
            throw config.Unsupported("rescale_factor", "other than 1/255");
        }

        var crop = config.Bool("do_center_crop", absent: config.KindOf("crop_size") != JsonValueKind.Undefined);
        _shortestEdge = ShortestEdge(config, crop);
        _size = _shortestEdge is { } edge ? (edge, edge) : Sides(config, "size");
        (Height, Width) = crop ? Sides(config, "crop_size") : _size;
        if ((_shortestEdge is not null && !crop) || Height > _size.Height || Width > _size.Width)
        {
            throw config.Unsupported("crop_size", "that is absent or larger than size");
        }

        var resample = config.Int("resample", (int)ResizeFilter.Bicubic, 0, 5);
        _filter = Enum.IsDefined((ResizeFilter)resample)
            ? (ResizeFilter)resample
            : throw config.Unsupported("resample", $"{resample} (2 and 3 are)");
        var (mean, std) = (config.Doubles("image_mean", 3), config.Doubles("image_std", 3));
        if (std.Any(value => value <= 0))
        {
            throw config.Unsupported("image_std", "of 0 or less");
        }

        _values =
        [
            .. mean.Zip(std, (m, s) =>
                Enumerable.Range(0, 256).Select(level => (float)(((level * RescaleFactor) - m) / s)).ToArray()
            ),
        ];
    }

    /// <summary>Height of every prepared image.</summary>
    public int Height { get; }

    /// <summary>Width of every prepared image.</summary>
    public int Width { get; }

    /// <summary>
    /// Reads a folder's <c>preprocessor_config.json</c>, in its form of today or that of before 2022, where sizes are
    /// single numbers.
    /// </summary>
    /// <exception cref="DtiException">It is missing, not valid or asks for what is not supported.</exception>
    public static ImagePreprocessor Load(string folder)
    {
        var path = Path.Combine(folder, "preprocessor_config.json");
        using var json = BoundedJson.Read(path);
        return new ImagePreprocessor(new ComponentConfig(path, json.RootElement));
    }

    /// <summary>Refuses to go with a model that takes images of another size.</summary>
    /// <returns>Itself.</returns>
    /// <exception cref="DtiException">It does not fit.</exception>
    public ImagePreprocessor EnsureSize(string folder, int imageSize) =>
        Height == imageSize && Width == imageSize
            ? this
            : throw new DtiException(
                ErrorKind.FailedPrecondition,
                $"{folder}: preprocessor_config.json makes images of {Height} × {Width}; the model of config.json takes {imageSize} × {imageSize}."
            );

    /// <summary>Prepares images.</summary>
    /// <returns>(N, 3, <see cref="Height"/>, <see cref="Width"/>) float32 on the CPU.</returns>
    /// <exception cref="DtiException">An image is too thin a strip.</exception>
    public Tensor PixelValues(IReadOnlyList<RgbImage> images)
    {
        var area = Height * Width;
        var values = new float[3 * area * images.Count];
        for (var n = 0; n < images.Count; n++)
        {
            var pixels = Prepare(images[n]).Pixels.Span;
            for (var i = 0; i < pixels.Length; i++)
            {
                values[(((3 * n) + (i % 3)) * area) + (i / 3)] = _values[i % 3][pixels[i]];
            }
        }

        return tensor(values, [images.Count, 3, Height, Width]);
    }

    private RgbImage Prepare(RgbImage image)
    {
        var (height, width) = _size;
        if (_shortestEdge is { } edge)
        {
            // Bounds what a thin strip grows to.
            if (
                Math.Max(image.Height, image.Width)
                > (long)ImageLimits.Default.MaxAspectRatio * Math.Min(image.Height, image.Width)
            )
            {
                throw new DtiException(
                    ErrorKind.InvalidArgument,
                    $"An image of {image.Width} × {image.Height} cannot be judged; its longer side may be at most {ImageLimits.Default.MaxAspectRatio} times the shorter one."
                );
            }

            (height, width) = PillowResize.ShorterSideTo(edge, image.Height, image.Width);
        }

        return PillowResize
            .Resize(image, height, width, _filter)
            .Crop((height - Height) / 2, (width - Width) / 2, Height, Width);
    }

    /// <summary>
    /// In the form of before 2022, one number is the shortest edge where a cut follows, else both edges.
    /// </summary>
    private static int? ShortestEdge(ComponentConfig config, bool crop) =>
        config.KindOf("size") == JsonValueKind.Number ? (crop ? config.Int("size", 224, 1, MaxSide) : null)
        : config.Section("size") is var size && size.KindOf("shortest_edge") == JsonValueKind.Undefined ? null
        : size.Int("shortest_edge", 224, 1, MaxSide);

    private static (int Height, int Width) Sides(ComponentConfig config, string key)
    {
        if (config.KindOf(key) == JsonValueKind.Number)
        {
            var side = config.Int(key, 224, 1, MaxSide);
            return (side, side);
        }

        var sides = config.Section(key);
        return (sides.Int("height", 224, 1, MaxSide), sides.Int("width", 224, 1, MaxSide));
    }
}
