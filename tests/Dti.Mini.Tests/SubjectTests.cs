using Dti.Engine.Imaging;
using Dti.Engine.Tokenization;
using Dti.Mini.Sheets;
using Dti.Mini.Subjects;
using Dti.Mini.Subjects.Styles;
using Dti.Mini.World;
using Dti.Tests;

namespace Dti.Mini.Tests;

public class SubjectTests
{
    [Fact]
    public void Samples_AreTheImagesThatTheCodeRenders()
    {
        Assert.Equal(12, SubjectCatalogue.All.Count);
        Assert.True(LearntStyle.All.Count >= 8);
        var rendered = SubjectCatalogue.All.ToDictionary(
            subject => subject.Name,
            subject => SubjectPhotos.Of(subject).Select(ContactSheet.Draw).ToArray()
        );
        foreach (var style in LearntStyle.All)
        {
            rendered.Add(style.Name, [.. style.Pictures()]);
        }

        Assert.All(rendered, entry =>
        {
            var folder = Path.Combine(Fixtures.Repository, "samples", entry.Key);
            Assert.Equal(entry.Value.Length, Directory.GetFiles(folder).Length);
            for (var i = 0; i < entry.Value.Length; i++)
            {
                var shipped = ImageCodec.Decode(File.ReadAllBytes(Path.Combine(folder, $"{i + 1}.jpg")), entry.Key);
                Assert.Equal(SceneRenderer.Side, shipped.Width);
                var difference = Difference(shipped.Pixels.ToArray(), entry.Value[i]);
                Assert.True(
                    difference < 9,
                    $"{entry.Key}/{i + 1}.jpg is not what is rendered: {difference:F1} levels away"
                ); // JPEG
            }
        });
    }

    [Fact]
    public void Styles_DifferFromTheWorldAndFromEachOther()
    {
        const double least = 18; // levels of 255, on average over the pictures
        byte[][] InTheWorld(Style style) =>
            [.. LearntStyle.Scenes().Select(scene => ContactSheet.Draw(scene with { Style = style }))];
        var looks = LearntStyle.All.Select(style => (style.Name, Pictures: style.Pictures().ToArray())).ToArray();
        var plain = Enum.GetValues<Style>().Select(style => (Name: style.ToString(), Pictures: InTheWorld(style)));
        (string Name, byte[][] Pictures)[] others = [.. looks, .. plain];
        var pairs = looks.SelectMany((look, i) => others.Skip(i + 1).Select(other => (look, other)));
        Assert.All(pairs, pair =>
        {
            var difference = pair.look.Pictures.Zip(pair.other.Pictures, Difference).Average();
            Assert.True(
                difference > least,
                $"{pair.look.Name} is hardly distinct from {pair.other.Name}: {difference:F1} levels"
            );
        });
    }

    [Fact]
    public void Initializer_OfEachSubject_IsOneTokenAndTheLastWordOfItsName()
    {
        var tokenizer = ClipTokenizer.Load(Path.Combine(Fixtures.Repository, MiniWorld.TokenizerFolder));

        Assert.All(SubjectCatalogue.All, subject =>
        {
            Assert.Single(tokenizer.Encode(subject.Initializer));
            Assert.EndsWith("-" + subject.Initializer, subject.Name, StringComparison.Ordinal);
        });
    }

    /// <summary>How far apart two pictures are: levels of 255, on average over pixels and channels.</summary>
    private static double Difference(byte[] one, byte[] other) => one.Zip(other, (a, b) => Math.Abs(a - b)).Average();
}
