using Dti.Mini.World;

namespace Dti.Mini.Subjects;

/// <summary>Something that is not in the world that dti-mini learnt from, to be learnt as a concept.</summary>
/// <param name="Name">Of the concept: <c>crested-teapot</c>.</param>
/// <param name="Initializer">The nearest word that the model knows.</param>
/// <param name="Shape">How it looks; all its colours are its own.</param>
internal sealed record Subject(string Name, string Initializer, Shape Shape)
{
    public Subject(string name, string initializer, IReadOnlyList<Part> parts)
        : this(name, initializer, new Shape(name, parts)) { }
}
