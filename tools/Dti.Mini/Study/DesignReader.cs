using Dti.Engine.Weights;
using Dti.Mini.Models;
using Dti.Mini.Stages;
using Dti.Mini.Training;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using Dti.Mini.World.Shapes;
using static TorchSharp.torch;

namespace Dti.Mini.Study;

/// <summary>Lets the judge read what images show: scenes, other objects, and designs.</summary>
/// <param name="vocabulary">Tokens of the model's vocabulary.</param>
internal sealed class DesignReader(int vocabulary)
{
    private static readonly int _shapes = ShapeCatalogue.All.Count;

    private readonly JudgeModel _judge = new(
        vocabulary,
        new WeightScope(new FrozenWeights(MiniWorld.JudgeFile)),
        designs: true
    );

    private readonly DesignJudge _designs = new(new WeightScope(new FrozenWeights(MiniWorld.DesignJudgeFile)));

    /// <summary>Reads the scene of each image, and its most visible design.</summary>
    /// <param name="images">(128, 128, 3) bytes each.</param>
    public (IReadOnlyList<ReadScene> Scenes, IReadOnlyList<ReadDesign> Designs) Read(IReadOnlyList<byte[]> images)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        var reading = _judge.Read(QualityStage.Stack(images));
        return (Scenes(images, reading), Designs(images, reading, families: null));
    }

    private ReadScene[] Scenes(IReadOnlyList<byte[]> images, Reading reading)
    {
        int[] Highest(Tensor logits) => [.. logits.argmax(1).data<long>().ToArray().Select(index => (int)index)];
        var (places, styles) = (Highest(reading.Place), Highest(reading.Style));
        var families = Highest(reading.Presence.narrow(1, _shapes, ObjectTargets.Kinds - _shapes));
        return
        [
            .. images.Select(
                (_, i) =>
                    new ReadScene(
                        (Place)places[i],
                        (Style)styles[i],
                        (DesignFamily)families[i],
                        [.. reading.Presence[i].gt(0).data<bool>().ToArray()],
                        [.. reading.Colour[i].argmax(1).data<long>().ToArray().Select(index => (int)index)],
                        Relations(reading.Queries[i], _shapes + families[i])
                    )
            ),
        ];
    }

    /// <summary>
    /// How each shape stands to the design, as <see cref="Relation"/>.
    /// </summary>
    private Relation[] Relations(Tensor queries, int design)
    {
        var of = queries[design].unsqueeze(0).expand(_shapes, -1);
        return
        [
            .. _judge
                .Relation(queries.narrow(0, 0, _shapes), of)
                .argmax(1)
                .data<long>()
                .ToArray()
                .Select(relation => (Relation)relation),
        ];
    }

    /// <summary>Reads the design of each image.</summary>
    /// <param name="images">(128, 128, 3) bytes each.</param>
    /// <param name="families">The family of the design to read in each; null: the most visible one.</param>
    public IReadOnlyList<ReadDesign> Designs(IReadOnlyList<byte[]> images, IReadOnlyList<DesignFamily>? families = null)
    {
        using var scope = NewDisposeScope();
        using var frozen = no_grad();
        return Designs(images, _judge.Read(QualityStage.Stack(images)), families);
    }

    private ReadDesign[] Designs(IReadOnlyList<byte[]> images, Reading reading, IReadOnlyList<DesignFamily>? families)
    {
        var kinds = families is null
            ? reading.Presence.narrow(1, _shapes, ObjectTargets.Kinds - _shapes).argmax(1) + _shapes
            : tensor(families.Select(family => (long)_shapes + (int)family).ToArray());
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
        var parts = stack([.. read.Parts.Select(part => part.argmax(1))], 1);
        var materials = read.Material.argmax(1).data<long>().ToArray();
        return
        [
            .. images.Select(
                (_, i) =>
                    new ReadDesign(
                        [.. parts[i].data<long>().ToArray().Select(part => (int)part)],
                        read.Colours[i].data<float>().ToArray(),
                        read.Proportions[i].data<float>().ToArray(),
                        (Material)materials[i]
                    )
            ),
        ];
    }
}
