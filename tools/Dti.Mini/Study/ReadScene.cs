using Dti.Mini.World;
using Dti.Mini.World.Designs;
using Dti.Mini.World.Shapes;

namespace Dti.Mini.Study;

/// <summary>A scene as the judge reads it in an image.</summary>
/// <param name="Place">Where.</param>
/// <param name="Style">How it is rendered.</param>
/// <param name="Family">The most visible family of designs.</param>
/// <param name="Found">Which shapes of the catalogue, then which families, are found.</param>
/// <param name="Colours">The colour of each shape, as an index of <see cref="ObjectColour.All"/>.</param>
/// <param name="Relations">How each shape stands to the most visible design.</param>
internal sealed record ReadScene(
    Place Place,
    Style Style,
    DesignFamily Family,
    bool[] Found,
    int[] Colours,
    Relation[] Relations
)
{
    /// <summary>Whether a family is found.</summary>
    public bool Shows(DesignFamily family) => Found[ShapeCatalogue.All.Count + (int)family];

    /// <summary>How much of an object is as asked: it is found, and then its colour and its relation.</summary>
    /// <returns>0, 1/3, 2/3 or 1.</returns>
    public double Score(Shape shape, ObjectColour colour, Relation relation)
    {
        var index = ShapeCatalogue.IndexOf(shape);
        return !Found[index]
            ? 0
            : (1 + (Colours[index] == ObjectColour.IndexOf(colour) ? 1 : 0) + (Relations[index] == relation ? 1 : 0))
                / 3.0;
    }
}
