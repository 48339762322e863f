namespace Dti.Engine.Imaging;

/// <summary>
/// What an image from outside may measure at most; checked against the file's header, before any pixel is decoded.
/// </summary>
public sealed record ImageLimits
{
    /// <summary>The published limits.</summary>
    public static ImageLimits Default { get; } = new();

    /// <summary>Encoded size in bytes. Default 64 MiB.</summary>
    public int MaxBytes { get; init; } = 64 * 1024 * 1024;

    /// <summary>Width × height. Default 100 million; decoding takes about 7 bytes each.</summary>
    public long MaxPixels { get; init; } = 100_000_000;

    /// <summary>Width or height in pixels. Default 20,000.</summary>
    public int MaxSide { get; init; } = 20_000;

    /// <summary>
    /// Longer side : shorter side of a training photo. Default 8. Photos are resized by their shorter side, so that
    /// this bounds what a thin strip grows to.
    /// </summary>
    public int MaxAspectRatio { get; init; } = 8;
}
