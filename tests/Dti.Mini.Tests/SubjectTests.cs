using Dti.Engine.Imaging;
using Dti.Mini.Sheets;
using Dti.Mini.Subjects;
using Dti.Mini.Subjects.Styles;
using Dti.Mini.World;
using Dti.Tests;

namespace Dti.Mini.Tests;

public class SubjectTests
{
    [Fact]
    public void Samples_AreThePicturesThatTheCodeDraws()
    {
        Assert.True(SubjectCatalogue.All.Count >= 12);
        Assert.True(LearntStyle.All.Count >= 4);
        var drawn = SubjectCatalogue.All.ToDictionary(
            subject => subject.Name,
            subject => SubjectPhotos.Of(subject).Select(ContactSheet.Draw).ToArray()
        );
        foreach (var style in LearntStyle.All)
        {
            drawn.Add(style.Name, [.. style.Pictures()]);
        }

        Assert.All(drawn, entry =>
        {
            var folder = Path.Combine(Fixtures.Repository, "samples", entry.Key);
            Assert.Equal(entry.Value.Length, Directory.GetFiles(folder).Length);
            for (var i = 0; i < entry.Value.Length; i++)
            {
                var shipped = ImageCodec.Decode(File.ReadAllBytes(Path.Combine(folder, $"{i + 1}.jpg")), entry.Key);
                Assert.Equal(SceneRenderer.Side, shipped.Width);
                var difference = shipped.Pixels.ToArray().Zip(entry.Value[i], (a, b) => Math.Abs(a - b)).Average();
                Assert.True(
                    difference < 9,
                    $"{entry.Key}/{i + 1}.jpg is not what is drawn: {difference:F1} levels away"
                ); // JPEG
            }
        });
    }

    [Fact]
    public void Subjects_AreNotInTheWorld()
    {
        var known = World.Shapes.ShapeCatalogue.All.Select(shape => shape.Name).ToHashSet();
        Assert.All(SubjectCatalogue.All, subject => Assert.DoesNotContain(subject.Name, known));
        Assert.All(SubjectCatalogue.All, subject => Assert.Contains(subject.Initializer, known));
    }
}
