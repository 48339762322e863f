using System.Globalization;
using Dti.Engine.Imaging;
using Dti.Mini.Sheets;
using Dti.Mini.Subjects.Styles;
using Dti.Mini.World;

namespace Dti.Mini.Subjects;

/// <summary>The pictures of all subjects and styles, as files to train on.</summary>
internal static class SamplePhotos
{
    /// <summary>Writes <c>NAME/1.jpg</c> and so on.</summary>
    public static void Write(string folder)
    {
        foreach (var subject in SubjectCatalogue.All)
        {
            Write(Path.Combine(folder, subject.Name), SubjectPhotos.Of(subject).Select(ContactSheet.Draw));
        }

        foreach (var style in LearntStyle.All)
        {
            Write(Path.Combine(folder, style.Name), style.Pictures());
        }
    }

    private static void Write(string folder, IEnumerable<byte[]> pictures)
    {
        Directory.CreateDirectory(folder);
        foreach (var (i, pixels) in pictures.Index())
        {
            var image = new RgbImage(SceneRenderer.Side, SceneRenderer.Side, pixels);
            File.WriteAllBytes(
                Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{i + 1}.jpg")),
                ImageCodec.Encode(image, ImageFormat.Jpeg, quality: 93)
            );
        }
    }
}
