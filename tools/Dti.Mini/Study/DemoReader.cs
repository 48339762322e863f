using Dti.Engine.Imaging;
using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Stages;
using Dti.Mini.Training;
using Dti.Mini.World;
using Dti.Mini.World.Shapes;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>Lets the judge look for a subject and for everything else that a prompt asks for.</summary>
/// <param name="vocabulary">Tokens of the model's vocabulary.</param>
internal sealed class DemoReader(int vocabulary)
{
    private readonly JudgeModel _judge = new(vocabulary, new WeightScope(new FrozenWeights(MiniWorld.JudgeFile)));

    /// <summary>Whether an image shows the subject, plain, in the place.</summary>
    public bool Shows(RgbImage image, DemoSubject subject, Place place)
    {
        using var scope = NewDisposeScope();
        var reading = Read([image]);
        var pattern = reading.Pattern[0, ShapeCatalogue.IndexOf(subject.Shape)].argmax().item<long>();
        return Shows(reading, 0, subject.Shape, subject.Colour)
            && pattern == (int)Pattern.Plain
            && reading.Place[0].argmax().item<long>() == (int)place;
    }

    /// <summary>Share of images that show the subject's shape in its colour.</summary>
    public double Shown(IReadOnlyList<RgbImage> images, DemoSubject subject)
    {
        using var scope = NewDisposeScope();
        var reading = Read(images);
        return Share(images.Select((_, i) => Shows(reading, i, subject.Shape, subject.Colour)));
    }

    /// <summary>Shares of images with subject, other object, both, place and style as asked.</summary>
    /// <param name="images">Images.</param>
    /// <param name="subject">The subject.</param>
    /// <param name="scenes">For each image, the scene asked for; its second object is the other one.</param>
    public Dictionary<string, double> Obedience(
        IReadOnlyList<RgbImage> images,
        DemoSubject subject,
        IReadOnlyList<Scene> scenes
    )
    {
        using var scope = NewDisposeScope();
        var reading = Read(images);
        bool[] subjects = [.. scenes.Select((_, i) => Shows(reading, i, subject.Shape, subject.Colour))];
        bool[] others = [.. scenes.Select((scene, i) => Other(scene) is var o && Shows(reading, i, o.Shape, o.Colour))];
        return new()
        {
            ["subject"] = Share(subjects),
            ["other"] = Share(others),
            ["both"] = Share(subjects.Zip(others, (one, other) => one && other)),
            ["place"] = Share(scenes.Select((scene, i) => Largest(reading.Place[i]) == (int)scene.Place)),
            ["style"] = Share(scenes.Select((scene, i) => Largest(reading.Style[i]) == (int)scene.Style)),
        };
    }

    private static SceneObject Other(Scene scene) => scene.Objects[1];

    private static long Largest(Tensor logits) => logits.argmax().item<long>();

    private static double Share(IEnumerable<bool> answers) => answers.Average(right => right ? 1.0 : 0);

    private static bool Shows(Reading reading, int image, Shape shape, ObjectColour colour)
    {
        var index = ShapeCatalogue.IndexOf(shape);
        return reading.Presence[image, index].item<float>() > 0
            && Largest(reading.Colour[image, index]) == ObjectColour.IndexOf(colour);
    }

    private Reading Read(IReadOnlyList<RgbImage> images)
    {
        using var frozen = no_grad();
        return _judge.Read(QualityStage.Stack([.. images.Select(image => image.Pixels.ToArray())]));
    }
}
