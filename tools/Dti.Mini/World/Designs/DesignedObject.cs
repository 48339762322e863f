namespace Dti.Mini.World.Designs;

/// <summary>A design in a scene.</summary>
/// <param name="Design">What a name stands for.</param>
/// <param name="Name">The word of the vocabulary that stands for it; null: it has none.</param>
/// <param name="Modifier">What this scene changes about it; null: nothing.</param>
internal sealed record DesignedObject(Design Design, string? Name, DesignModifier? Modifier)
{
    /// <summary>The design as it is painted.</summary>
    public Design Painted { get; } = Modifier?.Apply(Design) ?? Design;
}
