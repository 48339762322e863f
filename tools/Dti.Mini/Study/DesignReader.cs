using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Stages;
using Dti.Mini.Training;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using Dti.Mini.World.Shapes;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>Lets the judge read the design that images show.</summary>
/// <param name="vocabulary">Tokens of the model's vocabulary.</param>
internal sealed class DesignReader(int vocabulary)
{
    private readonly JudgeModel _judge = new(
        vocabulary,
        new WeightScope(new FrozenWeights(MiniWorld.JudgeFile)),
        designs: true
    );

    private readonly DesignJudge _designs = new(new WeightScope(new FrozenWeights(MiniWorld.DesignJudgeFile)));

    /// <summary>
    /// How well images show a design, means over images: <c>parts</c>, the share of its seven discrete parts that are
    /// right; <c>colour_error</c>, the mean distance of its colours that can be seen (RGB in [0, 1]³);
    /// <c>proportion_error</c>, in units of half the range of a proportion.
    /// </summary>
    /// <param name="images">(128, 128, 3) bytes each; the most visible design of each is read.</param>
    /// <param name="design">The design that they should show.</param>
    public Dictionary<string, double> Read(IReadOnlyList<byte[]> images, Design design)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var reading = _judge.Read(QualityStage.Stack(images));
        var families = reading.Presence.narrow(
            1,
            ShapeCatalogue.All.Count,
            ObjectTargets.Kinds - ShapeCatalogue.All.Count
        );
        var kinds = families.argmax(1) + ShapeCatalogue.All.Count;
        var boxes = reading.Boxes[arange(images.Count), kinds].data<float>().ToArray();
        var read = _designs.Read(
            cat([
                    .. images
                        .Index()
                        .Select(image =>
                            DesignJudge.Crop(
                                QualityStage.Stack([image.Item]),
                                boxes[3 * image.Index],
                                boxes[(3 * image.Index) + 1],
                                boxes[(3 * image.Index) + 2]
                            )
                        ),
                ])
                .to(Precision.Compute)
        );

        var parts = DesignParameters.Parts(design);
        double Right(int part) =>
            read.Parts[part].argmax(1).eq(parts[part]).to(ScalarType.Float32).mean().item<float>();
        var colours = ((read.Colours - tensor(DesignParameters.ColoursOf(design))) / 2).view(-1, 3, 3).norm(2, p: 2f);
        var proportions = read.Proportions - tensor(DesignParameters.ProportionsOf(design));
        return new()
        {
            ["parts"] = Enumerable.Range(0, parts.Length).Average(Right),
            ["family"] = Right(0),
            ["colour_error"] = colours.masked_select(tensor(DesignParameters.ColoursSeen(design))).mean().item<float>(),
            ["proportion_error"] = proportions.abs().mean().item<float>(),
        };
    }
}
