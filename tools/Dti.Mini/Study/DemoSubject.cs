using Dti.Mini.World;
using Dti.Mini.World.Shapes;

namespace Dti.Mini.Study;

/// <summary>
/// A shape of the world in one colour: the model could be asked for it in words, so it can be learnt.
/// </summary>
/// <param name="Colour">Its colour.</param>
/// <param name="Shape">Its shape.</param>
/// <param name="Initializer">The word that training starts from.</param>
internal sealed record DemoSubject(ObjectColour Colour, Shape Shape, string Initializer)
{
    /// <summary>Of the concept, and of the folder of its photos.</summary>
    public string Name => $"{Colour.Name}-{Shape.Name}";

    /// <summary>With an article.</summary>
    public string Words => $"{("aeiou".Contains(Colour.Name[0]) ? "an" : "a")} {Colour.Name} {Shape.Name}";

    /// <summary>Reads <c>purple-owl=animal</c>.</summary>
    public static DemoSubject Parse(string text) =>
        text.Split('-', '=') is [var colour, var shape, var initializer]
            ? new DemoSubject(
                ObjectColour.All.Single(known => known.Name == colour),
                ShapeCatalogue.All.Single(known => known.Name == shape),
                initializer
            )
            : throw new ArgumentException($"'{text}' is not COLOUR-SHAPE=WORD.");
}
