using Dti.Engine.Models;
using Dti.Engine.Weights;
using Dti.Mini.World;
using Dti.Mini.World.Designs;
using Dti.Mini.World.Shapes;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Mini.Models;

/// <summary>What objects look like, as tensors of n objects, d of which have a design.</summary>
internal sealed class ObjectTargets
{
    private readonly Tensor _designOf; // (n) int64: the object's row among the designs, -1: none

    /// <param name="objects">The objects as they are painted.</param>
    public ObjectTargets(IReadOnlyList<SceneObject> objects)
    {
        var designs = objects.Where(o => o.Designed is not null).Select(o => o.Designed!).ToArray();
        var row = 0;
        _designOf = tensor(objects.Select(o => o.Designed is null ? -1L : row++).ToArray());
        Designed = _designOf.ge(0).nonzero().flatten();
        Kind = tensor(objects.Select(o => (long)KindOf(o)).ToArray());
        Pattern = tensor(objects.Select(o => (long)o.Pattern).ToArray());
        Size = tensor(objects.Select(o => (long)o.Size).ToArray());
        Colour = tensor(
            objects.SelectMany(o => DesignParameters.Channels(o.Colour.Value)).ToArray(),
            [objects.Count, 3]
        );
        Material = tensor(
            designs.Select(designed => (long)(designed.Modifier?.Material ?? World.Designs.Material.None)).ToArray()
        );
        Parts = tensor(
            designs
                .SelectMany(designed => DesignParameters.Parts(designed.Painted).Select(part => (long)part))
                .ToArray(),
            [designs.Length, DesignParameters.Choices.Count]
        );
        Colours = tensor(
            designs.SelectMany(designed => DesignParameters.ColoursOf(designed.Painted)).ToArray(),
            [designs.Length, DesignParameters.Colours]
        );
        ColoursSeen = tensor(
            designs.SelectMany(designed => DesignParameters.ColoursSeen(designed.Painted)).ToArray(),
            [designs.Length, DesignParameters.Colours / 3]
        );
        Proportions = tensor(
            designs.SelectMany(designed => DesignParameters.ProportionsOf(designed.Painted)).ToArray(),
            [designs.Length, DesignParameters.Proportions]
        );
    }

    // Of objects by their index, each as often as it occurs there.
    private ObjectTargets(ObjectTargets all, Tensor index)
    {
        (Kind, Pattern, Size, Colour) = (all.Kind[index], all.Pattern[index], all.Size[index], all.Colour[index]);
        _designOf = all._designOf[index];
        Designed = _designOf.ge(0).nonzero().flatten();
        var rows = _designOf[Designed];
        (Material, Parts, Colours, ColoursSeen, Proportions) = (
            all.Material[rows],
            all.Parts[rows],
            all.Colours[rows],
            all.ColoursSeen[rows],
            all.Proportions[rows]
        );
    }

    /// <summary>Shapes of the catalogue, then families of designs.</summary>
    public static int Kinds { get; } = ShapeCatalogue.All.Count + Enum.GetValues<DesignFamily>().Length;

    public long Count => Kind.shape[0];

    public long Designs => Designed.shape[0];

    /// <summary>(n) int64</summary>
    public Tensor Kind { get; }

    /// <summary>(n) int64</summary>
    public Tensor Pattern { get; }

    /// <summary>(n) int64</summary>
    public Tensor Size { get; }

    /// <summary>(n, 3) fp32, the body's colour, each channel −1 to 1.</summary>
    public Tensor Colour { get; }

    /// <summary>(d) int64, which objects have a design; what follows is theirs.</summary>
    public Tensor Designed { get; }

    /// <summary>(d) int64</summary>
    public Tensor Material { get; }

    /// <summary>(d, parts) int64, in the order of <see cref="DesignParameters.Choices"/>.</summary>
    public Tensor Parts { get; }

    /// <summary>(d, 9) fp32</summary>
    public Tensor Colours { get; }

    /// <summary>(d, 3) bool, which of the three colours can be seen.</summary>
    public Tensor ColoursSeen { get; }

    /// <summary>(d, 3) fp32</summary>
    public Tensor Proportions { get; }

    /// <summary>The targets of the objects with these indices, (m) int64.</summary>
    public ObjectTargets At(Tensor index) => new(this, index);

    /// <summary>The place of an object's shape or family.</summary>
    public static int KindOf(SceneObject o) =>
        o.Designed is { } designed
            ? ShapeCatalogue.All.Count + (int)designed.Painted.Family
            : ShapeCatalogue.IndexOf(o.Shape);
}

/// <summary>What a readout says of n objects: logits, but for colours and proportions.</summary>
internal sealed record ObjectReading(
    Tensor Kind,
    Tensor Pattern,
    Tensor Size,
    Tensor Colour,
    Tensor Material,
    Tensor[] Parts,
    Tensor Colours,
    Tensor Proportions
);

/// <summary>
/// Reads from features what an object looks like: colours count four times, proportions twice (they are what a lump
/// lacks most).
/// </summary>
internal sealed class ObjectReadout(long channels, WeightScope weights, long width = 256)
{
    private static readonly long[] _sizes =
    [
        ObjectTargets.Kinds,
        Enum.GetValues<Pattern>().Length,
        Enum.GetValues<ObjectSize>().Length,
        3,
        Enum.GetValues<Material>().Length,
        .. DesignParameters.Choices.Select(choices => (long)choices),
        DesignParameters.Colours,
        DesignParameters.Proportions,
    ];

    private readonly Linear _hidden = new(weights.Sub("hidden"), channels, width);
    private readonly Linear _read = new(weights.Sub("read"), width, _sizes.Sum());

    /// <summary>Reads n objects.</summary>
    /// <param name="features">(n, channels)</param>
    public ObjectReading Read(Tensor features)
    {
        var parts = _read.Forward(F.silu(_hidden.Forward(features))).to(ScalarType.Float32).split(_sizes, 1);
        return new ObjectReading(parts[0], parts[1], parts[2], parts[3], parts[4], parts[5..^2], parts[^2], parts[^1]);
    }

    /// <summary>The loss of a reading: the mean over objects of all cross-entropies and distances.</summary>
    /// <param name="reading">Of n objects.</param>
    /// <param name="targets">Of the same objects.</param>
    /// <param name="weights">(n) fp32, of each object; null: 1.</param>
    public static Tensor Loss(ObjectReading reading, ObjectTargets targets, Tensor? weights = null)
    {
        var each = weights ?? ones([targets.Count]);
        Tensor Entropy(Tensor logits, Tensor target) => F.cross_entropy(logits, target, reduction: nn.Reduction.None);
        var loss =
            Entropy(reading.Kind, targets.Kind)
            + (0.5 * Entropy(reading.Pattern, targets.Pattern))
            + (0.3 * Entropy(reading.Size, targets.Size))
            + (4 * (reading.Colour - targets.Colour).abs().mean([1]));
        var total = (loss * each).sum() / targets.Count;
        if (targets.Designs == 0)
        {
            return total;
        }

        var at = targets.Designed;
        var design = 0.5 * Entropy(reading.Material[at], targets.Material);
        foreach (var (part, logits) in reading.Parts.Index())
        {
            design = design + (0.5 * Entropy(logits[at], targets.Parts[.., part]));
        }

        design =
            design
            + (4 * (reading.Colours[at] - targets.Colours).abs().mean([1]))
            + (2 * (reading.Proportions[at] - targets.Proportions).abs().mean([1]));
        return total + ((design * each[at]).sum() / targets.Designs);
    }

    /// <summary>
    /// How well designs are read: share of discrete parts that are right, and the mean distance of the part colours that
    /// can be seen (RGB in [0, 1]³).
    /// </summary>
    public static (double Parts, double ColourError) Accuracy(ObjectReading reading, ObjectTargets targets)
    {
        if (targets.Designs == 0)
        {
            return (0, 0);
        }

        var right = reading
            .Parts.Index()
            .Average(part =>
                part.Item[targets.Designed]
                    .argmax(1)
                    .eq(targets.Parts[.., part.Index])
                    .to(ScalarType.Float32)
                    .mean()
                    .item<float>()
            );
        var distance = ((reading.Colours[targets.Designed] - targets.Colours) / 2)
            .view(-1, 3, 3)
            .norm(2, p: 2f)[targets.ColoursSeen]
            .mean()
            .item<float>();
        return (right, distance);
    }
}
