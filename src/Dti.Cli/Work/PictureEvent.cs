using Dti.ClientSdk;

namespace Dti.Cli.Work;

/// <summary>An image as programs are told of it: everything but its bytes, which are in the file.</summary>
internal sealed record PictureEvent(
    int? Step,
    int Index,
    string? Path,
    string MediaType,
    int Width,
    int Height,
    string Prompt,
    ulong Seed,
    double? T
)
{
    public static PictureEvent Of(Picture picture, string? path, int? step = null) =>
        new(
            step,
            picture.Index,
            path,
            picture.MediaType,
            picture.Width,
            picture.Height,
            picture.Prompt,
            picture.Seed,
            picture.T
        );
}
