using Dti.Engine.Models;
using Dti.Engine.Weights;
using static TorchSharp.torch;
using F = TorchSharp.torch.nn.functional;

namespace Dti.Mini.Models;

/// <summary>How a head reads cells.</summary>
/// <param name="Loss">A scalar.</param>
/// <param name="Kinds">Share of objects' cells whose kind is read right.</param>
/// <param name="Parts">Share of discrete parts that are right in cells of designs.</param>
/// <param name="ColourError">Mean distance of part colours there.</param>
internal sealed record HeadReading(Tensor Loss, double Kinds, double Parts, double ColourError);

/// <summary>
/// Reads from features which object is in each cell, what it looks like and which part of it is seen.
/// </summary>
internal sealed class ObjectHead(long channels, WeightScope weights)
{
    private const long Width = 192;
    private readonly Conv2d _hidden = new(weights.Sub("hidden"), channels, Width, 1);
    private readonly Linear _kind = new(weights.Sub("kind"), Width, ObjectTargets.Kinds + 1);
    private readonly Linear _place = new(weights.Sub("place"), Width, 2);
    private readonly ObjectReadout _object = new(Width, weights.Sub("object"));

    /// <summary>
    /// How badly objects are read: cross-entropies, distances of colours, and the distance of the place within the
    /// object.
    /// </summary>
    /// <param name="features">(B, channels, side, side)</param>
    /// <param name="labels">What the images show, in as many cells.</param>
    /// <param name="weights">Of each image, (B) fp32; null: 1.</param>
    public HeadReading Loss(Tensor features, ObjectLabels labels, Tensor? weights = null)
    {
        var cells = F.silu(_hidden.Forward(features)).permute(0, 2, 3, 1).flatten(0, 2); // (B·side², Width)
        var image = (weights ?? ones([labels.Images])).repeat_interleave(labels.CellsPerImage);
        var cell = image * (1 + ((ObjectWeights.Object - 1) * labels.Kind.gt(0).to(ScalarType.Float32)));
        var kinds = _kind.Forward(cells).to(ScalarType.Float32);
        var named =
            (F.cross_entropy(kinds, labels.Kind, reduction: nn.Reduction.None) * cell).sum()
            / (cell.sum() / image.mean().clamp(min: 1e-3));
        var seen = cells[labels.At];
        var reading = _object.Read(seen);
        var place = (_place.Forward(seen).to(ScalarType.Float32) - labels.Place).abs().mean([1]);
        var right = kinds[labels.At].argmax(1).eq(labels.Kind[labels.At]).to(ScalarType.Float32).mean().item<float>();
        var (parts, colours) = ObjectReadout.Accuracy(reading, labels.Targets);
        return new HeadReading(
            named
                + (place * image[labels.At]).mean()
                + (0.5 * ObjectReadout.Loss(reading, labels.Targets, image[labels.At])),
            right,
            parts,
            colours
        );
    }
}
