namespace Dti.Engine.Imaging;

/// <summary>File formats that images are written in.</summary>
public enum ImageFormat
{
    /// <summary>Lossless.</summary>
    Png,

    /// <summary>Lossy, read everywhere.</summary>
    Jpeg,

    /// <summary>Lossy, smaller than JPEG.</summary>
    Webp,
}
