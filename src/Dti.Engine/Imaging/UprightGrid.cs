namespace Dti.Engine.Imaging;

/// <summary>Where the pixels of a file belong when it is turned upright by its EXIF orientation.</summary>
internal readonly struct UprightGrid
{
    private readonly bool _transposed;
    private readonly bool _mirrorX;
    private readonly bool _mirrorY;

    /// <param name="width">Width as stored.</param>
    /// <param name="height">Height as stored.</param>
    /// <param name="exif">The EXIF value, 1 to 8.</param>
    public UprightGrid(int width, int height, int exif)
    {
        // Values 5 to 8 store columns as rows; the mirrors apply after that.
        _transposed = exif >= 5;
        _mirrorX = exif is 2 or 3 or 6 or 7;
        _mirrorY = exif is 3 or 4 or 7 or 8;
        (Width, Height) = _transposed ? (height, width) : (width, height);
    }

    /// <summary>Width when upright.</summary>
    public int Width { get; }

    /// <summary>Height when upright.</summary>
    public int Height { get; }

    /// <summary>The index, row by row, of the pixel that is stored at a column and a row.</summary>
    public int IndexOf(int x, int y)
    {
        var (column, row) = _transposed ? (y, x) : (x, y);
        column = _mirrorX ? Width - 1 - column : column;
        row = _mirrorY ? Height - 1 - row : row;
        return (row * Width) + column;
    }
}
